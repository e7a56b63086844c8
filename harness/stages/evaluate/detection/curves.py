"""Precision and recall at IoU 0.5, along the score: the curve of a page, and the threshold with the best F1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.detection.boxes import Flags, Indices, LabelledImages
from harness.stages.evaluate.detection.coco import RECALLS, Matches

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """At `score` and above: the recall, and the best precision at that recall or a larger one."""

    recall: float
    precision: float
    score: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What the boxes with a score of at least `threshold` are: right ones, all that count, and objects that count."""

    threshold: float
    right: int
    boxes: int
    objects: int

    @property
    def precision(self) -> float | None:
        return self.right / self.boxes if self.boxes else None

    @property
    def recall(self) -> float | None:
        return self.right / self.objects if self.objects else None

    @property
    def f1(self) -> float | None:
        """2 x right / (boxes + objects); None without either."""
        return 2 * self.right / (self.boxes + self.objects) if self.boxes + self.objects else None


def curve(found: Matches, images: LabelledImages, label: int) -> tuple[CurvePoint, ...]:
    """At most 102 points: at recalls of 0, 0.01 ... as COCO reads the curve, and its end; empty without a right box."""
    right, score = _counting(found, label)
    objects = int(images.per_class()[label])
    if not objects or not right.any():
        return ()
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    recall = hits / objects
    rows = np.searchsorted(recall, RECALLS, side="left")
    rows = np.unique(np.r_[rows[rows < len(recall)], np.flatnonzero(right)[-1]])
    return tuple(CurvePoint(float(recall[row]), float(envelope[row]), float(score[row])) for row in rows)


def best_f1(found: Matches, images: LabelledImages, label: int | None = None) -> OperatingPoint | None:
    """The threshold with the largest F1, of one class or of all together; the highest of equal ones.

    None where no object or no box counts. All boxes of one score are taken or left together.
    """
    right, score = _counting(found, label)
    per_class = images.per_class()
    objects = int(per_class.sum() if label is None else per_class[label])
    if not objects or not len(score):
        return None
    hits = np.cumsum(right)
    last = np.flatnonzero(np.r_[score[1:] < score[:-1], True])  # of each score
    f1 = 2 * hits[last] / (last + 1 + objects)
    row = int(last[np.argmax(f1)])
    return OperatingPoint(float(score[row]), int(hits[row]), row + 1, objects)


def at_threshold(found: Matches, images: LabelledImages, threshold: float, label: int | None = None) -> OperatingPoint:
    """What the boxes with at least this score are."""
    right, score = _counting(found, label)
    per_class = images.per_class()
    taken = score >= np.float32(threshold)
    return OperatingPoint(
        threshold,
        int(right[taken].sum()),
        int(taken.sum()),
        int(per_class.sum() if label is None else per_class[label]),
    )


def found_objects(found: Matches, images: LabelledImages, threshold: float) -> Flags:
    """Of each object whether a box of its class with at least this score was matched with it, at IoU 0.5."""
    taken = found.truth[0, found.score >= np.float32(threshold)]
    flags = np.zeros(len(images.objects), np.bool_)
    flags[taken[taken >= 0]] = True
    return flags


def _counting(found: Matches, label: int | None) -> tuple[Flags, NDArray[np.float32]]:
    """Whether each box that counts is right, and its score; the surest first."""
    rows: slice | Indices = slice(None) if label is None else found.of_class(label)
    kept = ~found.ignored[0, rows]
    right, score = (found.truth[0, rows] >= 0)[kept], found.score[rows][kept]
    order = np.argsort(-score.astype(np.float64), kind="stable")
    return right[order], score[order]
