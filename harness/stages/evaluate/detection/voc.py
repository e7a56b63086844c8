"""AP50 as `eval_ssd.py` of dusty-nv/pytorch-ssd prints it, so that a student's own figure can be compared.

What differs from COCO's AP50 (eval_ssd.py and vision/utils/, commit e7b5af5):
- the union of two boxes is 1e-5 square pixels larger, and the overlap has to be above 0.5, not at least;
- a box takes the object that it overlaps most, even when a surer box has that already: then it is a false alarm;
- a box whose object is `difficult` is left out;
- the area is read at 11 recalls, 0, 0.1 ... 1 (VOC 2007), unless `--use_2007_metric false`, which has all points;
- images without any object are not looked at;
- all boxes of an image count, not the 100 surest of a class.
Where `eval_ssd.py` ends in a KeyError (a class without objects) or prints nan (the surest box lies on a difficult
object), there is a figure here: None, and that of the other boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.detection.boxes import Detections, Flags, LabelledImages, in_pixels
from harness.stages.evaluate.detection.overlap import best, iou, pairs

_IOU = 0.5
_ADDED = 1e-5  # box_utils.iou_of: `eps`
_RECALLS = np.arange(0.0, 1.1, 0.1)  # measurements.py: not rounded, so that a recall of 0.3 does not reach the fourth

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VocFigures:
    """AP50, 0 to 1: the mean over the classes with objects, and of each class; None without objects."""

    eleven_points: float | None  # what eval_ssd.py prints by default
    all_points: float | None
    eleven_points_per_class: tuple[float | None, ...]
    all_points_per_class: tuple[float | None, ...]


def voc_figures(detections: Detections, images: LabelledImages) -> VocFigures:
    """Both figures; boxes of truth and detections are compared as they are, without VOC's shift by a pixel."""
    looked_at = np.bincount(images.objects.image, minlength=len(images.sizes)) > 0
    found = detections.at(looked_at[detections.image])
    found = found.at(np.argsort(-found.score.astype(np.float64), kind="stable"))
    right, counts = _judged(found, images)
    curves = []
    for label, objects in enumerate(images.per_class()):
        hits = right[(found.label == label) & counts]
        curves.append(_curve(hits, int(objects)) if objects else None)
    eleven = tuple(None if curve is None else _eleven_points(*curve) for curve in curves)
    every = tuple(None if curve is None else _all_points(*curve) for curve in curves)
    return VocFigures(_mean(eleven), _mean(every), eleven, every)


def _judged(found: Detections, images: LabelledImages) -> tuple[Flags, Flags]:
    """Of each box, the surest first, whether it is right, and whether it counts at all."""
    objects, classes = images.objects, len(images.classes)
    boxes, of = pairs(found.image * np.int64(classes) + found.label, objects.image * np.int64(classes) + objects.label)
    corners = in_pixels(objects.box, objects.image, images.sizes)
    pair, overlap = best(
        boxes, iou(in_pixels(found.box, found.image, images.sizes)[boxes], corners[of], _ADDED), len(found)
    )
    hit = np.flatnonzero(overlap > _IOU)
    taken = of[pair[hit]]
    right = np.zeros(len(found), np.bool_)
    right[hit[np.unique(taken, return_index=True)[1]]] = True
    counts = np.ones(len(found), np.bool_)
    counts[hit[objects.ignored[taken]]] = False
    return right, counts


def _curve(right: Flags, objects: int) -> tuple[Floats, Floats]:
    hits = np.cumsum(right, dtype=np.float64)
    return hits / np.arange(1, len(right) + 1), hits / objects


def _eleven_points(precision: Floats, recall: Floats) -> float:
    # eval_ssd.py's own sum, which rounds up to more than 1 where all is right.
    return min(1.0, float(sum(precision[recall >= at].max(initial=0.0) / 11 for at in _RECALLS)))


def _all_points(precision: Floats, recall: Floats) -> float:
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return min(1.0, float((np.diff(recall, prepend=0.0) * envelope).sum()))


def _mean(values: tuple[float | None, ...]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
