"""The stage `score_boxes`: a detector's stored boxes against the objects of the held-out images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.findings import Finding, finding, sentence
from harness.inputs.images import HeldOutSet
from harness.stages.context import StageContext
from harness.stages.detection.repeatability import SAME, largest_difference
from harness.stages.detection.reply import Rows
from harness.stages.evaluate.detection import Detections, LabelledImages, ObjectTruth, clean, clean_truth, false_alarms
from harness.stages.evaluate.detection.backgrounds import Backgrounds, backgrounds, on_backgrounds
from harness.stages.evaluate.detection.evaluation import Answers, evaluation, remedy, scaling_remedy, with_meaning
from harness.stages.evaluate.detection.sentences import on_false_alarms
from harness.stages.evaluate.detection.worse import corrupted_scores, on_corruptions
from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.detections import Boxes, DetectorAnswers
from harness.stages.evidence.stage_result import Done, Skipped, StageResult
from harness.stages.evidence.worse_boxes import BackgroundBoxes, WorseBoxes
from harness.stages.stage import Stage
from harness.stages.store import Store


@dataclass(frozen=True, slots=True)
class ScoreBoxesRequest:
    """A detector's boxes, the objects, another detector's boxes for the same images, and boxes for worse ones."""

    answers: DetectorAnswers | None
    held_out: HeldOutSet
    compared_with: DetectorAnswers | None
    worse: WorseBoxes | None = None


def score_boxes(
    answers: DetectorAnswers,
    held_out: HeldOutSet,
    other: DetectorAnswers | None,
    store: Store,
    worse: WorseBoxes | None = None,
) -> Done[DetectionEvaluation]:
    """The scores of `answers`, and the comparison with `other` where it is given. There is at least one image.

    `worse`: the boxes for corrupted images, and for images of other objects, if there are any.
    """
    images = labelled_images(held_out)
    raw, meaning = boxes_of(answers.every, store), answers.meaning
    value = evaluation(answers_of(answers, store), images, answers_of(other, store) if other is not None else None)
    found: dict[str, object] = {
        "depends_on_order": answers.depends_on_order,
        "unsettled": meaning.unsettled or answers.scaling_unsettled,
    }
    if meaning.measured is not None:
        first = answers.description.background_first
        found["remedy"] = remedy(raw, meaning.as_named, meaning.measured, images, first)
    if answers.other is not None and answers.fit is not None:
        mine, better = (with_meaning(boxes, meaning.taken) for boxes in (raw, boxes_of(answers.other, store)))
        found["scaling_remedy"] = scaling_remedy(mine, better, answers.fit.best, images)
    value = value.model_copy(update=found)
    if worse is not None:
        value = _with_worse(value, worse, meaning.taken, images, store)
    return Done(
        value=value,
        origin="measured-outside",
        findings=_of_no_class(with_meaning(raw, meaning.taken)),
    )


def _with_worse(
    value: DetectionEvaluation, worse: WorseBoxes, meaning: Sequence[int], images: LabelledImages, store: Store
) -> DetectionEvaluation:
    corrupted, unseen = (with_meaning(boxes_of(boxes, store), meaning) for boxes in (worse.corrupted, worse.unseen))
    scores = corrupted_scores(corrupted, images, worse.images, worse.versions, worse.seeds)
    classes = len(images.classes)
    alarms = false_alarms(clean(unseen, worse.unseen_images, classes)[0], worse.unseen_images, classes, value.threshold)
    before = _before_backgrounds(worse.backgrounds, meaning, images, value.threshold, store)
    said = (
        on_false_alarms(alarms, drawn=worse.unseen_source == "patterns"),
        on_corruptions(scores),
        on_backgrounds(before),
    )
    return value.model_copy(
        update={
            "corrupted": scores,
            "false_alarms": alarms,
            "backgrounds": before,
            "backgrounds_source": worse.backgrounds.source if worse.backgrounds else None,
            "false_alarms_source": worse.unseen_source,
            "sentences": (*value.sentences, *(one for one in said if one is not None)),
        }
    )


def _before_backgrounds(
    found: BackgroundBoxes | None,
    meaning: Sequence[int],
    images: LabelledImages,
    threshold: float,
    store: Store,
) -> Backgrounds | None:
    if found is None:
        return None
    own, other = (with_meaning(boxes_of(boxes, store), meaning) for boxes in (found.own, found.other))
    return backgrounds(own, other, images, found.images, threshold)


def labelled_images(held_out: HeldOutSet) -> LabelledImages:
    """The set's images with their objects, as arrays."""
    rows = [(image, one) for image, on_it in enumerate(held_out.objects) for one in on_it.boxes]
    truth = ObjectTruth(
        image=np.array([image for image, _ in rows], np.int32),
        box=np.array([(o.left, o.top, o.right, o.bottom) for _, o in rows], np.float32).reshape(-1, 4),
        label=np.array([o.label for _, o in rows], np.int32),
        ignored=np.array([o.ignored for _, o in rows], np.bool_),
    )
    sizes = np.array([(one.width, one.height) for one in held_out.objects], np.int32).reshape(-1, 2)
    known, _ = clean_truth(truth, len(sizes), len(held_out.classes))
    scenes = np.array(held_out.scenes, np.int64) if held_out.scenes else None
    return LabelledImages(sizes, known, held_out.classes, scenes)


def answers_of(answers: DetectorAnswers, store: Store) -> Answers:
    """The boxes of both operating points, their labels by the meaning that is graded."""
    every, board = (
        with_meaning(boxes_of(boxes, store), answers.meaning.taken) for boxes in (answers.every, answers.board)
    )
    return Answers(every, board)


def boxes_of(boxes: Boxes, store: Store) -> Detections:
    """Stored boxes as arrays, their labels as the model counts them."""
    image, box, score, label = (
        np.load(store.path(blob), allow_pickle=False)
        for blob in (boxes.images, boxes.boxes, boxes.scores, boxes.labels)
    )
    return Detections(image, box, score, label)


def same_boxes(one: DetectorAnswers, other: DetectorAnswers, store: Store) -> bool:
    """Whether two detectors find the same boxes up to rounding, as the same weights saved twice do."""
    apart = largest_difference(_rows(one.every, store), _rows(other.every, store), range(one.images))
    return one.images == other.images and apart <= SAME


def _rows(boxes: Boxes, store: Store) -> Rows:
    found = boxes_of(boxes, store)
    return Rows(found.box, found.score, found.label, found.image)


def _of_no_class(detections: Detections) -> tuple[Finding, ...]:
    count = int((detections.label < 0).sum())
    return (finding("boxes-of-no-class", count=count, boxes=len(detections)),) if count else ()


def _score_boxes(request: ScoreBoxesRequest, context: StageContext) -> StageResult[DetectionEvaluation]:
    if request.answers is None:
        return Skipped(reason=sentence("no-predictions"))
    if not request.held_out.objects:
        return Skipped(reason=sentence("no-labelled-images"))
    return score_boxes(request.answers, request.held_out, request.compared_with, context.store, request.worse)


SCORE_BOXES = Stage("score_boxes", DetectionEvaluation, _score_boxes)
