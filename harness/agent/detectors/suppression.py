"""Non-maximum suppression: of boxes of one class that overlap, the one with the highest score stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .detector import Anchors, Detections, Floats, Labels


@dataclass(frozen=True, slots=True)
class Settings:
    """Which boxes are looked at, and which of them count as one."""

    score: float  # a box needs a higher one
    overlap: float  # intersection over union above which two boxes of a class count as one
    candidates: int | None = None  # of a class in an image, the surest; None: all


# dusty-nv/pytorch-ssd, vision/ssd/predictor.py (MIT): filter_threshold, iou_threshold, candidate_size.
TRAINERS = Settings(0.01, 0.45, 200)


def suppressed(anchors: Anchors, settings: Settings) -> Detections:
    """The boxes that stay, class by class, in each class the highest score first. Scores that are NaN never stay."""
    boxes: list[Floats] = [np.zeros((0, 4), np.float32)]
    scores: list[Floats] = [np.zeros(0, np.float32)]
    labels: list[Labels] = [np.zeros(0, np.int64)]
    for column in np.flatnonzero((anchors.scores > settings.score).any(axis=0)).tolist():
        of_class = anchors.scores[:, column]
        likely = np.flatnonzero(of_class > settings.score)
        likely = likely[np.argsort(-of_class[likely], kind="stable")][: settings.candidates]
        kept = likely[_kept(anchors.boxes[likely], settings.overlap)]
        boxes.append(anchors.boxes[kept])
        scores.append(of_class[kept])
        labels.append(np.full(len(kept), column + anchors.first, np.int64))
    return Detections(np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels))


def _kept(boxes: Floats, overlap: float) -> list[int]:
    """The indices of the boxes to keep; the boxes come with the highest score first."""
    kept: list[int] = []
    left = np.arange(len(boxes))
    areas = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    while len(left):
        first, left = int(left[0]), left[1:]
        kept.append(first)
        corner, other = np.maximum(boxes[first, :2], boxes[left, :2]), np.minimum(boxes[first, 2:], boxes[left, 2:])
        shared = np.prod(np.clip(other - corner, 0, None), axis=1)
        left = left[~(shared > overlap * (areas[first] + areas[left] - shared))]
    return kept
