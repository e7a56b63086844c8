"""AP under the bootstrap: boxes are matched once, and each resample weighs them anew.

In a resample an image that was drawn twice is there twice. Its boxes then count twice in the curve, which is the curve
that scoring the drawn images from the start would give. (Where an image has two boxes of a class with one score, their
order can differ between its copies.) Only right boxes are steps of the curve, so only these are followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.bootstrap import drawn
from harness.stages.evaluate.detection.boxes import Flags, Indices, LabelledImages
from harness.stages.evaluate.detection.coco import IOU_THRESHOLDS, RECALLS, Matches

_AT_ONCE = 3_000_000  # boxes of a class x resamples

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Resampled:
    """Scores in every resample; nan for a class of which no object was drawn."""

    ap: Floats  # (resamples,)
    ap50: Floats
    per_class_ap50: Floats  # (resamples, classes)
    per_class_ap: Floats


def resampled(found: Matches, images: LabelledImages, seed: int = 0) -> Resampled:
    """AP and AP50 over resamples of scenes, as many as `bootstrap.RESAMPLES`; equal seeds draw equal scenes."""
    scenes = images.grouped()
    curves = [_Curves.of(found, images, label) for label in range(len(images.classes))]
    parts = [
        np.stack([curve.aps(block) for curve in curves], axis=1)
        for block in _blocks(drawn(scenes.count, np.random.default_rng(seed)), scenes.of, curves)
    ]
    aps = np.concatenate(parts)  # (resamples, classes, IoUs)
    return Resampled(
        ap=nan_mean(aps.mean(axis=2)),
        ap50=nan_mean(aps[:, :, 0]),
        per_class_ap50=aps[:, :, 0],
        per_class_ap=aps.mean(axis=2),
    )


def aps(found: Matches, images: LabelledImages, weights: Floats) -> Floats:
    """AP of each class at each IoU, shape (resamples, classes, 10), with these weights of images, (resamples, images).

    nan for a class without objects.
    """
    classes = range(len(images.classes))
    return np.stack([_Curves.of(found, images, label).aps(weights) for label in classes], axis=1)


def nan_mean(values: Floats) -> Floats:
    """The mean of each row over what is no nan; nan where nothing is left."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        means: Floats = np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1)
    return means


def _blocks(counts: Iterator[Floats], of: Indices, curves: list[_Curves]) -> Iterator[Floats]:
    """Weights of images, (resamples of the block, images), few enough to be weighed at once."""
    widest = max([len(of), *(len(curve.image) for curve in curves)])
    size = max(1, _AT_ONCE // widest)
    for block in counts:
        for start in range(0, len(block), size):
            yield block[start : start + size][:, of]


@dataclass(frozen=True, slots=True)
class _Curves:
    """One class: the images of its boxes, the surest first, and at each IoU which of them are right and left out."""

    image: NDArray[np.int32]
    right: tuple[Indices, ...]  # rows, at each IoU
    left_out: tuple[Indices, ...]
    objects: Floats  # that count, on each image

    @classmethod
    def of(cls, found: Matches, images: LabelledImages, label: int) -> _Curves:
        rows = found.of_class(label)
        ignored: Flags = found.ignored[:, rows]
        right = (found.truth[:, rows] >= 0) & ~ignored
        counted = images.counted() & (images.objects.label == label)
        return cls(
            image=found.image[rows],
            right=tuple(np.flatnonzero(row) for row in right),
            left_out=tuple(np.flatnonzero(row) for row in ignored),
            objects=np.bincount(images.objects.image[counted], minlength=len(images.sizes)).astype(np.float64),
        )

    def aps(self, weights: Floats) -> Floats:
        """AP at each IoU, shape (resamples, 10)."""
        objects = weights @ self.objects
        found = np.full((len(weights), len(IOU_THRESHOLDS)), np.nan)
        some = objects > 0
        if not some.any():
            return found
        weights, objects = weights[some], objects[some, None]
        of_boxes = weights[:, self.image]
        seen = np.cumsum(of_boxes, axis=1)
        for place, (right, left_out) in enumerate(zip(self.right, self.left_out, strict=True)):
            so_far = seen[:, right]
            if len(left_out):
                before = np.hstack([np.zeros((len(weights), 1)), np.cumsum(of_boxes[:, left_out], axis=1)])
                so_far = so_far - before[:, np.searchsorted(left_out, right)]
            found[some, place] = _interpolated(np.cumsum(of_boxes[:, right], axis=1), so_far, objects)
        return found


def _interpolated(hits: Floats, boxes: Floats, objects: Floats) -> Floats:
    """The mean of the precision at 101 recalls, as pycocotools has it; one row for each resample.

    `hits`, `boxes`: right boxes and all boxes down to each right one. `objects`: shape (resamples, 1).
    """
    precision = hits / (boxes + np.spacing(1))
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    reached = np.searchsorted(RECALLS, hits / objects, side="right")
    values: Floats = (np.diff(reached, axis=1, prepend=0) * envelope).sum(axis=1) / len(RECALLS)
    return values
