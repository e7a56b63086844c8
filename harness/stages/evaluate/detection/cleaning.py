"""Boxes as they come, made fit for scoring. What is wrong with them is counted; nothing goes without a count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.detection.boxes import Boxes, Detections, Flags, Indices, ObjectTruth

# dusty-nv/pytorch-ssd, vision/ssd/predictor.py: `candidate_size`, of one class on one image.
MOST_OF_A_CLASS = 200


@dataclass(frozen=True, slots=True)
class DetectionFlaws:
    """How many of `boxes` had which flaw. Those of the first four kinds are left out of the scores."""

    boxes: int  # as they came
    not_finite: int  # a corner or the score is no number, or infinite
    unknown_image: int  # no image has this index
    unknown_label: int  # no class has this index
    too_many: int  # beyond the 200 surest of their class on their image
    reversed: int  # right of left, or bottom above top: put in order
    empty: int  # no width or no height: can match nothing, counts as a false alarm
    outside: int  # no part of it is on the image: the same
    beyond_edge: int  # partly outside of the image by more than 1 % of a side: taken as it is
    score_out_of_range: int  # below 0 or above 1: ranked as it is
    unsorted_images: int  # images on which the scores of one class do not fall

    @property
    def left_out(self) -> int:
        return self.not_finite + self.unknown_image + self.unknown_label + self.too_many


@dataclass(frozen=True, slots=True)
class TruthFlaws:
    """How many of `objects` had which flaw. The first three kinds are left out; empty ones become `ignored`."""

    objects: int  # as they came
    not_finite: int
    unknown_image: int
    unknown_label: int
    reversed: int
    empty: int
    outside: int
    beyond_edge: int


def clean(detections: Detections, images: int, classes: int) -> tuple[Detections, DetectionFlaws]:
    """The boxes that can be scored, in the order in which they came; and what was wrong with the others."""
    finite = np.isfinite(detections.box).all(axis=1) & np.isfinite(detections.score)
    known_image = _within(detections.image, images)
    known_label = _within(detections.label, classes)
    usable = detections.at(finite & known_image & known_label)
    kept = usable.at(_surest(usable))
    box, flipped = in_order(kept.box)
    found = Detections(kept.image, box, kept.score, kept.label)
    return found, DetectionFlaws(
        boxes=len(detections),
        not_finite=int((~finite).sum()),
        unknown_image=int((finite & ~known_image).sum()),
        unknown_label=int((finite & known_image & ~known_label).sum()),
        too_many=len(usable) - len(kept),
        reversed=int(flipped.sum()),
        empty=int(is_empty(box).sum()),
        outside=int(_outside(box).sum()),
        beyond_edge=int(_beyond_edge(box).sum()),
        score_out_of_range=int(((kept.score < 0) | (kept.score > 1)).sum()),
        unsorted_images=_unsorted_images(usable),
    )


def clean_truth(truth: ObjectTruth, images: int, classes: int) -> tuple[ObjectTruth, TruthFlaws]:
    """The objects that can be searched for; and what was wrong with the others. Nobody can find an empty box."""
    finite = np.isfinite(truth.box).all(axis=1)
    known_image = _within(truth.image, images)
    known_label = _within(truth.label, classes)
    kept = truth.at(finite & known_image & known_label)
    box, flipped = in_order(kept.box)
    empty = is_empty(box)
    return ObjectTruth(kept.image, box, kept.label, kept.ignored | empty), TruthFlaws(
        objects=len(truth),
        not_finite=int((~finite).sum()),
        unknown_image=int((finite & ~known_image).sum()),
        unknown_label=int((finite & known_image & ~known_label).sum()),
        reversed=int(flipped.sum()),
        empty=int(empty.sum()),
        outside=int(_outside(box).sum()),
        beyond_edge=int(_beyond_edge(box).sum()),
    )


def in_order(box: Boxes) -> tuple[Boxes, Flags]:
    """Each box with its smaller corner first, and whether it came otherwise."""
    low, high = np.minimum(box[:, :2], box[:, 2:]), np.maximum(box[:, :2], box[:, 2:])
    flipped: Flags = np.any(box[:, 2:] < box[:, :2], axis=1)
    return np.hstack([low, high]), flipped


def is_empty(box: Boxes) -> Flags:
    empty: Flags = np.any(box[:, 2:] <= box[:, :2], axis=1)
    return empty


def ranked(image: NDArray[np.int32], label: NDArray[np.int32], score: NDArray[np.float32]) -> Indices:
    """Rows by image, class, and falling score; of equal scores the earlier row comes first."""
    order: Indices = np.lexsort((-score.astype(np.float64), label, image))
    return order


def _surest(detections: Detections) -> Indices:
    """Rows of the surest boxes of each class on each image, in the order in which they came."""
    order = ranked(detections.image, detections.label, detections.score)
    if not len(order):
        return order
    image, label = detections.image[order], detections.label[order]
    starts = np.flatnonzero(np.r_[True, (image[1:] != image[:-1]) | (label[1:] != label[:-1])])
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    return np.sort(order[rank < MOST_OF_A_CLASS])


def _unsorted_images(detections: Detections) -> int:
    order = np.lexsort((detections.label, detections.image))  # stable: rows of a class stay as they came
    image, label, score = detections.image[order], detections.label[order], detections.score[order]
    rises = (score[1:] > score[:-1]) & (image[1:] == image[:-1]) & (label[1:] == label[:-1])
    return len(np.unique(image[1:][rises]))


def _within(index: NDArray[np.int32], count: int) -> Flags:
    inside: Flags = (index >= 0) & (index < count)
    return inside


def _outside(box: Boxes) -> Flags:
    outside: Flags = np.any(box[:, 2:] <= 0, axis=1) | np.any(box[:, :2] >= 1, axis=1)
    return outside


def _beyond_edge(box: Boxes) -> Flags:
    beyond: Flags = ~_outside(box) & np.any((box < -0.01) | (box > 1.01), axis=1)
    return beyond
