"""The stage `unboxed`: asks the reference detector about a student's images, to find objects without a box.

Its sandbox has the reference and the images, which an earlier one re-encoded, and no student code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import HeldOutSet, StagedImages, TrainingImages
from harness.stages.context import StageContext
from harness.stages.detection.asking import Asking, Unanswered, look
from harness.stages.detection.handed_in import HandedDetector, where_answered
from harness.stages.detection.score_boxes import labelled_images
from harness.stages.evaluate.detection import Detections
from harness.stages.evaluate.detection.evaluation import with_meaning
from harness.stages.evaluate.detection.unboxed import unboxed
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.evidence.unboxed_objects import UnboxedBox, UnboxedObjects
from harness.stages.stage import Stage


@dataclass(frozen=True, slots=True)
class UnboxedRequest:
    """A student's images with what is drawn on them, and the reference with the classes that it knows."""

    drawn: HeldOutSet
    staged: StagedImages
    reference: DetectorAnswers
    classes: tuple[str, ...]  # of the reference, in the order of its meaning
    training: TrainingImages
    weights: GivenWeights


def _unboxed(request: UnboxedRequest, context: StageContext) -> StageResult[UnboxedObjects]:
    reference, names = request.reference, request.drawn.classes
    asking = Asking(HandedDetector.of(reference), request.training.check_images(), request.weights.hub)
    everything = range(len(request.staged.names))
    try:
        found = look(asking, request.staged, everything, where_answered(reference, context)).found
    except Unanswered as nothing:
        return nothing.failure
    said = Detections(found.images, found.boxes, found.scores, found.labels)
    as_drawn = with_meaning(said, same_names(reference.meaning.taken, request.classes, names))
    boxes = tuple(
        UnboxedBox(image=one.image, label=names[one.label], score=one.score, box=one.box)
        for one in unboxed(as_drawn, labelled_images(request.drawn))
    )
    return Done(value=UnboxedObjects(images=len(everything), boxes=boxes), origin="measured-outside")


def same_names(meaning: Sequence[int], classes: Sequence[str], drawn: Sequence[str]) -> tuple[int, ...]:
    """Of each of the reference's labels the index of the class that was drawn under its name; -1 for none.

    Upper and lower case are alike, as people write names.
    """
    places = {name.strip().casefold(): place for place, name in reversed(list(enumerate(drawn)))}
    return tuple(places.get(classes[label].strip().casefold(), -1) if label >= 0 else -1 for label in meaning)


UNBOXED = Stage("unboxed", UnboxedObjects, _unboxed)
