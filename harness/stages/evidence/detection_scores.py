"""The stage `score_boxes`: how good a detector's boxes are on the held-out images."""

from __future__ import annotations

from typing import Literal

from harness.stages.evaluate.detection.backgrounds import Backgrounds
from harness.stages.evaluate.detection.circumstances import Circumstances
from harness.stages.evaluate.detection.coco import CocoScores
from harness.stages.evaluate.detection.counting import Counting
from harness.stages.evaluate.detection.curves import CurvePoint, OperatingPoint
from harness.stages.evaluate.detection.error_types import ErrorTypes
from harness.stages.evaluate.detection.false_alarms import FalseAlarms
from harness.stages.evidence.record import Interval, Record, Share
from harness.stages.evidence.swapped_backgrounds import BackgroundSource


class ClassBoxes(Record):
    """One class. Curve and operating point are at an IoU of 0.5."""

    name: str
    objects: int  # that count
    scores: CocoScores
    ap50_interval: Interval | None
    best: OperatingPoint | None  # at the threshold with the best F1
    curve: tuple[CurvePoint, ...]


class ShownBox(Record):
    """A box over an image of the report; corners are shares of the image's sides."""

    kind: Literal["found", "missed", "false-alarm"]  # at `DetectionEvaluation.threshold`, by an IoU of 0.5
    box: tuple[float, float, float, float]  # left, top, right, bottom
    name: str  # of the object's class; of a false alarm what it was said to be
    score: Share | None  # None for an object that was missed
    truth: tuple[float, float, float, float] | None = None  # the object's own box, where it was found


class ShownImage(Record):
    """A held-out image whose boxes the report draws."""

    image: int  # index in the held-out set
    boxes: tuple[ShownBox, ...]
    left_out: int = 0  # of its boxes: the least sure false alarms, where there are very many


class VocScores(Record):
    """AP50 as jetson-inference's `eval_ssd.py` prints it."""

    eleven_points: Share | None
    all_points: Share | None


class CorruptedScores(Record):
    """AP50 on some held-out images made worse, their boxes with them. corruption -> severity (1 to 5) -> AP50.

    All are shrunk to a shorter side of 256 pixels first, so that `clean` differs from the score on all images.
    """

    images: int
    clean: Share | None  # on the same images, unchanged
    worse: dict[str, dict[int, Share]]


class LabelRemedy(Record):
    """AP50 with the labels as the files name them, and as measured on training images."""

    names: tuple[str, ...]  # of the labels as measured: what labels.txt should say, line by line
    ap50: Share  # as named
    would: Share  # as measured


class ScalingRemedy(Record):
    """AP50 with the declared pre-processing, and with the scaling that fits better on training images."""

    way: str  # that scaling, in words
    ap50: Share  # as declared
    would: Share


class DetectionEvaluation(Record):
    """Scores of a detector. Intervals are 95 %, as docs/detection-scores.md says."""

    images: int
    scenes: int  # images of one scene count as one
    classes: tuple[str, ...]
    objects: int  # that count
    depends_on_order: bool = False  # whether repeated images got different boxes
    scores: CocoScores
    ap_interval: Interval | None
    ap50_interval: Interval | None
    voc: VocScores
    per_class: tuple[ClassBoxes, ...]
    threshold: Share  # with the best F1 over all classes; 0.5 where there is none. The figures below are at it
    at_threshold: OperatingPoint
    on_board: OperatingPoint  # what jetson-inference's detectNet shows, at a score of 0.5
    counting: Counting  # of what the board shows
    errors: ErrorTypes
    confusion: tuple[tuple[int, ...], ...]  # rows truth, columns said, in the order of `classes`; last is background
    circumstances: Circumstances
    false_alarms: FalseAlarms | None = None  # on images of other objects; None where there are none
    false_alarms_source: Literal["folder", "patterns"] | None = None  # the course's images, or drawn patterns
    corrupted: CorruptedScores | None = None
    backgrounds: Backgrounds | None = None  # None where objects were not put before others
    backgrounds_source: BackgroundSource | None = None
    remedy: LabelRemedy | None = None  # None where the labels are named right
    scaling_remedy: ScalingRemedy | None = None  # None unless another scaling than the declared one surely fits better
    sentences: tuple[str, ...] = ()  # what may be quoted
    shown: tuple[ShownImage, ...] = ()  # at most 12: the worst first, then the best
    unsettled: bool = False  # what the labels mean, or how pixels are scaled, is neither declared nor shown by images
    reference_ap: Share | None = None
    reference_ap50: Share | None = None
    difference: float | None = None  # AP50 - reference's, on the same images
    difference_interval: Interval | None = None
    ap_difference: float | None = None  # AP - reference's, on the same images
    ap_difference_interval: Interval | None = None
    reference_exact_share: Share | None = None  # of images on which the reference counts right, on its board output
    exact_difference_interval: Interval | None = None  # of the share on which this one counts right, less that
