"""What is wrong with an image's boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .image import Box, DatasetImage

_OUTSIDE = 1.5  # pixels: annotators count from 0 or from 1
_SAME = 0.9  # intersection over union: two objects of one class hardly lie so near to each other
_MOST_COMPARED = 200  # boxes of one image
_TINY = 0.02  # of the image's side: 6 of SSD-MobileNet's 300 input pixels


def faults(image: DatasetImage, size: tuple[int, int] | None, labels: tuple[str, ...] | None) -> list[tuple[str, str]]:
    """(kind, class) of every faulty box; kinds: `not-a-number`, `empty`, `outside`, `tiny`, `doubled`, `unlisted`,
    `no-class`, `wrong-size`.

    `size`: the image's width and height, None when it does not decode.
    """
    stated = image.stated_size
    drawn_on = stated if size and stated == size[::-1] else size  # reversed: EXIF rotation
    found = [(kind, box.label) for box in image.boxes for kind in _faults(box, drawn_on)]
    found += [("doubled", box.label) for box in _doubled(image.boxes)]
    found += [("no-class", "") for box in image.boxes if not box.label]
    if labels is not None:
        found += [("unlisted", box.label) for box in image.boxes if box.label and box.label not in labels]
    if size and stated and stated not in (size, size[::-1]):
        found.append(("wrong-size", image.label or ""))
    return found[:100]


def _doubled(boxes: Sequence[Box]) -> list[Box]:
    """The boxes that lie on an earlier one of their class: one object was drawn twice."""
    by_class: dict[str, list[Box]] = {}
    found = []
    for box in boxes[:_MOST_COMPARED]:
        earlier = by_class.setdefault(box.label, [])
        if any(_overlap(box, other) >= _SAME for other in earlier):
            found.append(box)
        else:
            earlier.append(box)
    return found


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union; 0 where a box is empty or no number."""
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    if not (across > 0 and down > 0 and one.area() and other.area()):
        return 0.0
    return across * down / (one.area() + other.area() - across * down)


def _faults(box: Box, size: tuple[int, int] | None) -> list[str]:
    sides = (box.left, box.top, box.right, box.bottom)
    if not all(math.isfinite(side) for side in sides):
        return ["not-a-number"]
    if box.right <= box.left or box.bottom <= box.top:
        return ["empty"]
    if size is None:
        return []
    width, height = size
    if min(box.left, box.top) < -_OUTSIDE or box.right > width + _OUTSIDE or box.bottom > height + _OUTSIDE:
        return ["outside"]
    if box.right - box.left < _TINY * width or box.bottom - box.top < _TINY * height:
        return ["tiny"]
    return []
