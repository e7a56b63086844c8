"""All scores of a detector, as the evidence has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.stages.evaluate.comparison import compare
from harness.stages.evaluate.detection.boxes import Detections, LabelledImages
from harness.stages.evaluate.detection.circumstances import circumstances, overlapped, under_others, weak_spots
from harness.stages.evaluate.detection.cleaning import clean
from harness.stages.evaluate.detection.coco import Matches, coco_figures, matches
from harness.stages.evaluate.detection.counting import counted_right, counting
from harness.stages.evaluate.detection.curves import at_threshold, best_f1, curve
from harness.stages.evaluate.detection.error_types import confusion, error_types
from harness.stages.evaluate.detection.scores import ap_difference, ap_intervals
from harness.stages.evaluate.detection.sentences import on_classes, on_confusion, on_counts, on_overlapped
from harness.stages.evaluate.detection.shown import shown_images
from harness.stages.evaluate.detection.voc import voc_figures
from harness.stages.evidence.detection_scores import (
    ClassBoxes,
    DetectionEvaluation,
    LabelRemedy,
    ScalingRemedy,
    VocScores,
)

ON_BOARD = 0.5  # jetson-inference, detectNet: the score from which on it shows a box
_NO_CLASS = "void"  # the name that detectNet does not show
_NO_BEST = 0.5  # the threshold where no box or no object counts


@dataclass(frozen=True, slots=True)
class Answers:
    """A detector's boxes at its two operating points; labels are the course's classes, or -1 for none of them."""

    every: Detections
    board: Detections


def evaluation(answers: Answers, images: LabelledImages, other: Answers | None = None) -> DetectionEvaluation:
    """The scores on these images, and the comparison with `other` where it is given.

    Boxes of no class are left out like those of the background. Raises `ValueError` when there are no images.
    """
    detections = _clean(answers.every, images)
    found, on_board = matches(detections, images), matches(_clean(answers.board, images), images)
    best = best_f1(found, images)
    threshold = best.threshold if best else _NO_BEST
    figures = coco_figures(detections, images)
    intervals = ap_intervals(figures, found, images)
    voc = voc_figures(detections, images)
    counted = counting(on_board, images, ON_BOARD)
    under = under_others(images)
    when = circumstances(found, images, threshold, under)
    matrix = confusion(detections, found, images, threshold)
    per_class = images.per_class()
    value = DetectionEvaluation(
        images=len(images.sizes),
        scenes=images.grouped().count,
        classes=images.classes,
        objects=int(per_class.sum()),
        scores=figures.overall,
        ap_interval=intervals.ap,
        ap50_interval=intervals.ap50,
        voc=VocScores(eleven_points=voc.eleven_points, all_points=voc.all_points),
        per_class=tuple(
            ClassBoxes(
                name=name,
                objects=int(per_class[label]),
                scores=figures.per_class[label],
                ap50_interval=intervals.per_class_ap50[label],
                best=best_f1(found, images, label),
                curve=curve(found, images, label),
            )
            for label, name in enumerate(images.classes)
        ),
        threshold=threshold,
        at_threshold=at_threshold(found, images, threshold),
        on_board=at_threshold(on_board, images, ON_BOARD),
        counting=counted,
        errors=error_types(detections, images),
        confusion=matrix,
        circumstances=when,
        sentences=(
            *on_classes(when, weak_spots(found, images, threshold), images.classes),
            *on_overlapped(overlapped(found, images, threshold, under)),
            *on_confusion(matrix, images.classes),
            on_counts(counted),
        ),
        shown=shown_images(detections, found, images, threshold),
    )
    return value if other is None else _compared(value, found, on_board, other, images)


def remedy(
    raw: Detections, as_named: Sequence[int], measured: Sequence[int], images: LabelledImages, background_first: bool
) -> LabelRemedy | None:
    """AP50 with both meanings of the labels; None where they are the same, or no object counts.

    `raw`: with the labels as the model counts them.
    """
    if tuple(as_named) == tuple(measured):
        return None
    named, would = (
        coco_figures(_clean(with_meaning(raw, meaning), images), images).overall.ap50
        for meaning in (as_named, measured)
    )
    if named is None or would is None:
        return None
    names = [_NO_CLASS if label < 0 else images.classes[label] for label in measured]
    if background_first and names and measured[0] < 0:
        names[0] = "BACKGROUND"
    return LabelRemedy(names=tuple(names), ap50=named, would=would)


def scaling_remedy(declared: Detections, other: Detections, way: str, images: LabelledImages) -> ScalingRemedy | None:
    """AP50 with the declared scaling of pixels and with another; None where no object counts. Labels are classes."""
    is_, would = (coco_figures(_clean(boxes, images), images).overall.ap50 for boxes in (declared, other))
    return None if is_ is None or would is None else ScalingRemedy(way=way, ap50=is_, would=would)


def with_meaning(raw: Detections, meaning: Sequence[int]) -> Detections:
    """The boxes with each label's class in its place; -1 for a label that means none, or has no meaning."""
    known = np.array([*meaning, -1], np.int32)
    return Detections(raw.image, raw.box, raw.score, known[np.minimum(raw.label, len(meaning))])


def _compared(
    value: DetectionEvaluation, found: Matches, on_board: Matches, other: Answers, images: LabelledImages
) -> DetectionEvaluation:
    detections = _clean(other.every, images)
    compared = ap_difference(found, matches(detections, images), images)
    figures = coco_figures(detections, images).overall
    counted, others = (
        counted_right(one, images, ON_BOARD) for one in (on_board, matches(_clean(other.board, images), images))
    )
    return value.model_copy(
        update={
            "reference_ap": figures.ap,
            "reference_ap50": figures.ap50,
            "difference": compared and compared.ap50,
            "difference_interval": compared and compared.ap50_interval,
            "ap_difference": compared and compared.ap,
            "ap_difference_interval": compared and compared.ap_interval,
            "reference_exact_share": float(others.mean()),
            "exact_difference_interval": compare(counted, others, images.grouped()).interval,
        }
    )


def _clean(detections: Detections, images: LabelledImages) -> Detections:
    return clean(detections, len(images.sizes), len(images.classes))[0]
