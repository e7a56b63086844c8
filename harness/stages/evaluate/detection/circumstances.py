"""When does it fail? Objects found by their size, their place, how many others are there, and what lies over them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate import intervals
from harness.stages.evaluate.detection.boxes import Flags, LabelledImages
from harness.stages.evaluate.detection.coco import Matches
from harness.stages.evaluate.detection.curves import found_objects
from harness.stages.evaluate.detection.overlap import area
from harness.stages.evaluate.scenes import Scenes, of_shares
from harness.stages.evidence.record import Interval

# Shares of the image that an object covers: a side of 10, 14, 22, 32 and 50 % of the image's.
AREAS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
CROWDS = (1, 2, 3, 5, 10)  # objects on the image, from
COVERS = (0.0, 0.01, 0.1, 0.3, 0.6, 1.0)  # shares of an object's box that lie in boxes of others; the first: apart
_COVERED = 0.1  # from which on an object counts as overlapped in a sentence
_BY_PLACE = ("left", "middle", "right")
_BY_HEIGHT = ("top", "centre", "bottom")
_ENOUGH = 10  # objects: below, nothing is said of a group


@dataclass(frozen=True, slots=True)
class Recall:
    """`found` of `objects` that have `low` <= value < `high`; the interval is Wilson's over scenes."""

    objects: int
    found: int
    interval: Interval  # 95 %

    @property
    def share(self) -> float:
        return self.found / self.objects


@dataclass(frozen=True, slots=True)
class RecallGroup:
    """The objects with `low` <= value < `high`; `recall` is None where there are none."""

    low: float
    high: float | None  # None: no bound, since JSON has no infinity
    recall: Recall | None


@dataclass(frozen=True, slots=True)
class PlaceGroup:
    """The objects whose centre lies in one of the image's nine equal parts."""

    across: str  # left, middle, right
    down: str  # top, centre, bottom
    recall: Recall | None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Which objects are found by boxes with a score of at least `threshold`."""

    threshold: float
    all_objects: Recall | None
    per_class: tuple[Recall | None, ...]
    by_area: tuple[RecallGroup, ...]  # share of the image that the object covers
    by_area_per_class: tuple[tuple[RecallGroup, ...], ...]
    by_place: tuple[PlaceGroup, ...]
    by_crowd: tuple[RecallGroup, ...]  # objects of all classes on the image
    by_cover: tuple[RecallGroup, ...] = ()  # share of the object's box that lies in boxes of others


@dataclass(frozen=True, slots=True)
class WeakSpot:
    """A class that is found, but clearly less often where the object covers less than `below` of the image."""

    label: int
    overall: Recall
    below: float
    small: Recall


@dataclass(frozen=True, slots=True)
class Overlapped:
    """Objects of which others' boxes take a tenth or more are found clearly less often than those that lie apart."""

    overlapped: Recall
    apart: Recall


def circumstances(
    found: Matches, images: LabelledImages, threshold: float, under: NDArray[np.float64]
) -> Circumstances:
    """Recall at IoU 0.5 by class, size, place, crowd and cover. Raises `ValueError` when there are no images.

    `under`: what `under_others` says.
    """
    objects, counted = images.objects, images.counted()
    hit, scene = found_objects(found, images, threshold), images.grouped().of[objects.image]
    box = np.clip(objects.box.astype(np.float64), 0, 1)
    covered = area(box)
    centre = (box[:, :2] + box[:, 2:]) / 2
    column, row = np.minimum((centre * 3).astype(np.int64), 2).T
    crowd = np.bincount(objects.image[counted], minlength=len(images.sizes))[objects.image]

    def recall(among: Flags) -> Recall | None:
        return _recall(hit, counted & among, scene)

    def by_share(share: NDArray[np.float64], bounds: Sequence[float], among: Flags) -> tuple[RecallGroup, ...]:
        return tuple(
            RecallGroup(low, high, recall(among & (share >= low) & (share < high if high < 1 else share <= 1)))
            for low, high in itertools.pairwise(bounds)
        )

    def by_area(among: Flags) -> tuple[RecallGroup, ...]:
        return by_share(covered, AREAS, among)

    every = np.ones(len(objects), np.bool_)
    classes = range(len(images.classes))
    return Circumstances(
        threshold=threshold,
        all_objects=recall(every),
        per_class=tuple(recall(objects.label == label) for label in classes),
        by_area=by_area(every),
        by_area_per_class=tuple(by_area(objects.label == label) for label in classes),
        by_place=tuple(
            PlaceGroup(across, down, recall((column == x) & (row == y)))
            for y, down in enumerate(_BY_HEIGHT)
            for x, across in enumerate(_BY_PLACE)
        ),
        by_crowd=tuple(
            RecallGroup(low, high, recall((crowd >= low) & (crowd < (np.inf if high is None else high))))
            for low, high in zip(CROWDS, (*CROWDS[1:], None), strict=True)
        ),
        by_cover=by_share(under, COVERS, every),
    )


def overlapped(
    found: Matches, images: LabelledImages, threshold: float, under: NDArray[np.float64]
) -> Overlapped | None:
    """The objects that lie under or over others, and those that lie apart, where the intervals of both are apart.

    None where they are not, or where either has fewer than 10 objects. Who lies in front the boxes do not say.
    `under`: what `under_others` says.
    """
    counted = images.counted()
    hit, scene = found_objects(found, images, threshold), images.grouped().of[images.objects.image]
    some = _recall(hit, counted & (under >= _COVERED), scene)
    none = _recall(hit, counted & (under < COVERS[1]), scene)
    if some is None or none is None or min(some.objects, none.objects) < _ENOUGH:
        return None
    return Overlapped(some, none) if some.interval[1] < none.interval[0] else None


def weak_spots(found: Matches, images: LabelledImages, threshold: float) -> tuple[WeakSpot, ...]:
    """For each class the size below which it is found clearly less often: the intervals of small and others are apart.

    Of several sizes that with the largest difference, the smallest of equal ones; at least 10 objects on either side.
    """
    objects, counted = images.objects, images.counted()
    hit, scene = found_objects(found, images, threshold), images.grouped().of[objects.image]
    covered = area(np.clip(objects.box.astype(np.float64), 0, 1))
    spots = []
    for label in range(len(images.classes)):
        of_class = counted & (objects.label == label)
        overall = _recall(hit, of_class, scene)
        apart: list[tuple[float, WeakSpot]] = []
        for below in AREAS[1:-1]:
            small = _recall(hit, of_class & (covered < below), scene)
            other = _recall(hit, of_class & (covered >= below), scene)
            if not (overall and small and other) or min(small.objects, other.objects) < _ENOUGH:
                continue
            if small.interval[1] < other.interval[0]:
                apart.append((other.share - small.share, WeakSpot(label, overall, below, small)))
        if apart:
            spots.append(max(apart, key=lambda one: one[0])[1])
    return tuple(spots)


def under_others(images: LabelledImages) -> NDArray[np.float64]:
    """Of each object the share of its box that lies in boxes of other objects that count; shape (objects,)."""
    objects = images.objects
    box = np.clip(objects.box.astype(np.float64), 0, 1)
    shares = np.zeros(len(objects), np.float64)
    for image in np.unique(objects.image):
        here = np.flatnonzero(objects.image == image)
        for row in here:
            others = box[[other for other in here if other != row and not objects.ignored[other]]]
            shares[row] = _share_in(box[row], others)
    return shares


def _share_in(box: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """The share of a box that lies in the union of `others`, shape (others, 4); 0 for a box without an area."""
    low, high = box[:2], box[2:]
    inside = np.hstack([np.clip(others[:, :2], low, high), np.clip(others[:, 2:], low, high)])
    inside = inside[area(inside) > 0]
    if not len(inside):
        return 0.0
    # Between two neighbouring sides, across and down, a cell lies in each box as a whole, or not at all.
    across, down = np.unique(inside[:, ::2]), np.unique(inside[:, 1::2])
    x, y = across[:-1, None, None], down[None, :-1, None]
    left, top, right, bottom = inside.T
    taken = ((x >= left) & (x < right) & (y >= top) & (y < bottom)).any(axis=2)
    cells = np.diff(across)[:, None] * np.diff(down)[None, :]
    return min(1.0, float(cells[taken].sum() / (high - low).prod()))


def _recall(hit: Flags, among: Flags, scene: NDArray[np.int64]) -> Recall | None:
    count = int(among.sum())
    if not count:
        return None
    inside, scenes = hit[among], Scenes(scene[among])
    share = float(inside.mean())
    interval = intervals.wilson(share, scenes.effective(of_shares(inside, scenes)))
    return Recall(count, int(inside.sum()), interval)
