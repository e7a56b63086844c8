"""What is on the images of a data set with boxes: classes, sizes, and which images can be graded on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.stages.evidence.audit import DrawnObject, ObjectSizes
from harness.stages.evidence.record import Share

_DIGITS = 5  # of a share

Objects = tuple[DrawnObject, ...]  # of one image
Corners = tuple[Share, Share, Share, Share]  # left, top, right, bottom


def classes_of(objects: Objects) -> frozenset[str]:
    """The classes of which an object counts."""
    return frozenset(one.label for one in objects if not one.ignored)


def sizes_of(objects: Sequence[Objects]) -> dict[str, ObjectSizes]:
    """Of each class, by name: how many objects there are, and how much of their images they cover."""
    shares: dict[str, list[float]] = {}
    for one in (one for image in objects for one in image):
        left, top, right, bottom = one.box
        shares.setdefault(one.label, []).append((right - left) * (bottom - top))
    return {label: _sizes(shares[label]) for label in sorted(shares)}


def _sizes(shares: Sequence[float]) -> ObjectSizes:
    def quantile(share: float) -> Share:
        return round(float(np.quantile(shares, share)), _DIGITS)

    return ObjectSizes(
        objects=len(shares), smallest=quantile(0), tenth=quantile(0.1), median=quantile(0.5), largest=quantile(1)
    )


def can_be_graded_on(objects: Objects, left_out: int, listed: Sequence[str] | None) -> bool:
    """Whether all that is drawn on an image is known, and something is.

    `left_out`: boxes that are not among the objects. A class that labels.txt lacks is none that a detector can learn.
    """
    unknown = {one.label for one in objects} - set(listed) if listed else set()
    return bool(classes_of(objects)) and not left_out and not unknown


def on_thumbnail(objects: Objects, size: tuple[int, int]) -> Objects:
    """The objects as shares of a square in whose middle the whole image, of `size`, is shown."""
    return tuple(one.model_copy(update={"box": box_on_thumbnail(one.box, size)}) for one in objects)


def box_on_thumbnail(box: Corners, size: tuple[int, int]) -> Corners:
    """A box, given in shares of an image of `size`, as shares of that square."""
    longest = max(size)
    wide, high = size[0] / longest, size[1] / longest

    def place(share: float, side: float) -> float:
        return min(max(round((1 - side) / 2 + share * side, _DIGITS), 0.0), 1.0)

    left, top, right, bottom = box
    return place(left, wide), place(top, high), place(right, wide), place(bottom, high)


def nearly_filled(sizes: Mapping[str, ObjectSizes], share: float, objects: int) -> tuple[str, ...]:
    """The classes with `objects` or more of which nine of ten cover more than `share` of the image."""
    return tuple(name for name, one in sizes.items() if one.objects >= objects and one.tenth > share)
