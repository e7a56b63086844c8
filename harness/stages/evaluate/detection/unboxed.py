"""Objects without a box: where a reference detector is sure of an object, and nobody drew anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.stages.evaluate.detection.boxes import Detections, LabelledImages
from harness.stages.evaluate.detection.overlap import area, iou, pairs

SURE = 0.9  # score of the reference; benchmarks/unboxed_objects.py measures how often it is right from which on
_APART = 0.1  # of the smaller of both boxes: what a drawn box covers more of is that object, badly found or drawn
_SAME = 0.5  # IoU above which two boxes are one object, whatever their classes


@dataclass(frozen=True, slots=True)
class Unboxed:
    """What seems to be an object without a box. `image`, `label`: as in the detections; `box` as there."""

    image: int
    label: int
    score: float
    box: tuple[float, float, float, float]


def unboxed(detections: Detections, images: LabelledImages, surely: float = SURE) -> tuple[Unboxed, ...]:
    """Sure boxes that lie apart from every object on their image, ignored ones too; the surest first.

    `detections`: boxes with a label below 0 are of classes that nobody meant to draw, and are passed over. Of boxes
    that lie on each other the surest stays.
    """
    sure = detections.at((detections.score >= np.float32(surely)) & (detections.label >= 0))
    order = np.lexsort((sure.label, sure.image, -sure.score))
    sure = sure.at(order)
    boxes = np.clip(sure.box.astype(np.float64), 0, 1)
    drawn = np.clip(images.objects.box.astype(np.float64), 0, 1)
    one, other = pairs(sure.image.astype(np.int64), images.objects.image.astype(np.int64))
    corner = np.maximum(boxes[one, :2], drawn[other, :2]), np.minimum(boxes[one, 2:], drawn[other, 2:])
    shared = area(np.hstack(corner))
    touched = np.zeros(len(sure), np.bool_)
    touched[one[shared > _APART * np.minimum(area(boxes[one]), area(drawn[other]))]] = True
    kept: list[int] = []
    for row in np.flatnonzero(~touched & (area(boxes) > 0)).tolist():
        beside = [at for at in kept if sure.image[at] == sure.image[row]]
        if not beside or iou(boxes[beside], np.tile(boxes[row], (len(beside), 1))).max() < _SAME:
            kept.append(row)
    return tuple(_unboxed(sure, row, boxes[row]) for row in kept)


def _unboxed(found: Detections, row: int, box: np.ndarray) -> Unboxed:
    left, top, right, bottom = (round(float(side), 5) for side in box)
    score = min(1.0, max(0.0, float(found.score[row])))
    return Unboxed(int(found.image[row]), int(found.label[row]), score, (left, top, right, bottom))
