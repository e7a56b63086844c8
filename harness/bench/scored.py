"""A model's untimed predictions for images, and their scores where there are labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.bench.subjects import GivenImages
from harness.inputs.images import StagedImages
from harness.stages.context import StageContext
from harness.stages.evaluate.stage import score
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.stage_result import Done
from harness.stages.predict import predict
from harness.stages.timing import Subject

_PROBED = 0  # images: a benchmark takes the pre-processing as it is


@dataclass(frozen=True, slots=True)
class Scored:
    """Predictions for the images, and their evaluation where the labels allow it."""

    predictions: Predictions | None = None
    evaluation: Evaluation | None = None
    unscored: str = ""  # why labelled images could not be evaluated


def score_subject(
    subject: Subject, given: GivenImages | None, staged: StagedImages | None, place: StageContext
) -> Scored:
    """The model's score on the given images; empty without images."""
    if staged is None or given is None:
        return Scored()
    if subject.head is not None:
        return Scored(unscored="No accuracy: it is a detector." if given.labelled else "")
    conversion = subject.conversion
    predicted = predict(conversion, staged, place, _PROBED)
    if not isinstance(predicted, Done):
        return Scored(unscored=f"No accuracy: {predicted.whole_reason}")
    if not given.labelled:
        return Scored(predicted.value)
    classes = given.scored.classes
    if not set(conversion.labels) & set(classes):
        ours, theirs = _some(conversion.labels), _some(classes)
        reason = f"No accuracy: the model's classes ({ours}) are none of the images' folders ({theirs})."
        return Scored(predicted.value, unscored=reason)
    return Scored(predicted.value, score(predicted.value, given.scored, None, place.store).value)


def predictions_of(subject: Subject, staged: StagedImages, place: StageContext) -> Predictions | None:
    """The model's answers to the images; None for a detector, or where it gives no usable answers."""
    if subject.head is not None:
        return None
    predicted = predict(subject.conversion, staged, place, _PROBED)
    return predicted.value if isinstance(predicted, Done) else None


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
