"""The stage `evaluate`: scores on the held-out images."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from harness.stages.evidence.record import Interval, Record, Share
from harness.stages.evidence.robustness import OcclusionMap


class CalibrationBin(Record):
    """Answers with similar confidence: their mean confidence, and how often they are right."""

    images: int
    confidence: Share  # mean
    accuracy: Share


class ClassScore(Record):
    name: str
    images: int
    precision: Share | None  # None when nothing was predicted as this class
    recall: Share
    precision_interval: Interval | None = None
    recall_interval: Interval | None = None


class Mistake(Record):
    """A wrong answer, for the report's images."""

    image: int  # index in the held-out set
    truth: str
    predicted: str
    confidence: Share


class Remedy(Record):
    """What is wrong beside the weights, put right and measured."""

    of: Literal["labels", "preprocessing"]
    to: str  # a pre-processing of a closed list, or the labels in the right order, with commas
    accuracy: Share  # on `images`, as handed in
    would: Share  # on the same images, put right
    images: int


class PairedDifference(Record):
    """A model's accuracy minus another's on the same images."""

    value: float
    interval: Interval  # 95 %, of the paired difference
    mcnemar_p: Share  # exact, two-sided


class Evaluation(Record):
    """Scores on the held-out images. Intervals are 95 %, as docs/intervals.md says; results of before may lack some."""

    images: int
    scenes: int | None = None  # images of one scene count as one here; None in results of before
    classes: tuple[str, ...]
    depends_on_order: bool = False  # whether repeated images got different answers
    unsettled: bool = False  # whether the score may rest on a wrong guess of what was not declared
    accuracy: Share
    accuracy_interval: Interval
    balanced_accuracy: Share
    balanced_accuracy_interval: Interval
    macro_f1: Share
    macro_f1_interval: Interval
    log_loss: float
    log_loss_interval: Interval | None = None
    calibration_error: Share  # expected calibration error, 15 bins, top label
    calibration_error_interval: Interval | None = None
    calibration_floor: Share | None = None  # its mean for a perfectly calibrated model with the same confidences
    per_class: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]  # rows truth, columns predicted, in the order of `classes`
    confusion_other: tuple[int, ...]  # per true class: predicted as a label outside `classes`
    mistakes: tuple[Mistake, ...]  # the most confident first, at most 12
    reference_accuracy: Share | None = None
    difference: float | None = None  # accuracy - reference's, on the same images
    difference_interval: Interval | None = None
    mcnemar_p: float | None = None  # exact, two-sided
    calibration: tuple[CalibrationBin, ...] = ()  # ten bins of equal width; empty ones left out
    robustness: dict[str, dict[int, Share]] = {}  # corruption -> severity (1 to 5) -> accuracy
    robustness_images: int = 0
    robustness_clean: Share | None = None  # accuracy on the same images, unchanged
    unseen_auroc: Share | None = None  # of the confidence, for held-out images against images of no class
    unseen_auroc_interval: Interval | None = None
    unseen_images: int = 0
    unseen_confidence: Share | None = None  # mean, on images of no class
    unseen_source: Literal["folder", "patterns"] | None = None
    occlusion_maps: Annotated[
        tuple[OcclusionMap, ...],
        Field(serialization_alias="looks", validation_alias=AliasChoices("looks", "occlusion_maps")),
    ] = ()  # results.json calls them so
    remedies: tuple[Remedy, ...] = ()
