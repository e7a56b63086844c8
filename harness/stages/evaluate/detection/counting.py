"""How many objects are there? A detector as a counter, image by image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate import intervals
from harness.stages.evaluate.detection.boxes import Flags, Indices, LabelledImages
from harness.stages.evaluate.detection.coco import Matches
from harness.stages.evaluate.scenes import Scenes, of_shares
from harness.stages.evidence.record import Interval

_FARTHEST = 10  # errors beyond it are counted with it


@dataclass(frozen=True, slots=True)
class CountScores:
    """Counted boxes less objects, of one class or of all together.

    `errors`: (error, images) for each error that there is, -10 and 10 standing for all beyond.
    """

    images: int
    exact: int  # images on which the count is right
    exact_share: float
    exact_interval: Interval  # Wilson, 95 %, over scenes
    mean_absolute_error: float
    mean_error: float  # above 0: too many are counted
    errors: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Counting:
    """`every_class`: images on which the count of each class is right."""

    threshold: float
    all_objects: CountScores
    every_class: int
    per_class: tuple[CountScores, ...]


def counting(found: Matches, images: LabelledImages, threshold: float) -> Counting:
    """The boxes with at least this score, counted on each image; those in ignored objects are left out.

    Raises `ValueError` when there are no images.
    """
    errors, classes, scenes = _errors(found, images, threshold), len(images.classes), images.grouped()
    return Counting(
        threshold=threshold,
        all_objects=_scores(errors.sum(axis=1), scenes),
        every_class=int((errors == 0).all(axis=1).sum()),
        per_class=tuple(_scores(errors[:, label], scenes) for label in range(classes)),
    )


def counted_right(found: Matches, images: LabelledImages, threshold: float) -> Flags:
    """Of each image whether all objects together are counted right."""
    right: Flags = _errors(found, images, threshold).sum(axis=1) == 0
    return right


def _errors(found: Matches, images: LabelledImages, threshold: float) -> Indices:
    """Counted boxes less objects, shape (images, classes)."""
    objects, classes = images.objects, len(images.classes)
    said = (found.score >= np.float32(threshold)) & ~found.ignored[0]
    are = images.counted()
    errors = _table(found.image[said], found.label[said], len(images.sizes), classes)
    return errors - _table(objects.image[are], objects.label[are], len(images.sizes), classes)


def _table(image: NDArray[np.int32], label: NDArray[np.int32], images: int, classes: int) -> Indices:
    counts = np.bincount(image * np.int64(classes) + label, minlength=images * classes)
    return counts.reshape(images, classes)


def _scores(errors: Indices, scenes: Scenes) -> CountScores:
    right: Flags = errors == 0
    share = float(right.mean())
    kinds, counts = np.unique(np.clip(errors, -_FARTHEST, _FARTHEST), return_counts=True)
    return CountScores(
        images=len(errors),
        exact=int(right.sum()),
        exact_share=share,
        exact_interval=intervals.wilson(share, scenes.effective(of_shares(right, scenes))),
        mean_absolute_error=float(np.abs(errors).mean()),
        mean_error=float(errors.mean()),
        errors=tuple(zip(kinds.tolist(), counts.tolist(), strict=True)),
    )
