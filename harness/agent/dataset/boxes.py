"""What is wrong with an image's boxes."""

from __future__ import annotations

import math

from .image import Box, DatasetImage

_OUTSIDE = 1.5  # pixels: annotators count from 0 or from 1
_TINY = 0.02  # of the image's side: 6 of SSD-MobileNet's 300 input pixels


def faults(image: DatasetImage, size: tuple[int, int] | None, labels: tuple[str, ...] | None) -> list[tuple[str, str]]:
    """(kind, class) of every faulty box; kinds: `not-a-number`, `empty`, `outside`, `tiny`, `unlisted`, `wrong-size`.

    `size`: the image's width and height, None when it does not decode.
    """
    found = [(kind, box.label) for box in image.boxes for kind in _faults(box, size)]
    if labels is not None:
        found += [("unlisted", box.label) for box in image.boxes if box.label not in labels]
    stated = image.stated_size
    if size and stated and stated != size and stated != size[::-1]:  # reversed: EXIF rotation
        found.append(("wrong-size", image.label or ""))
    return found[:100]


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
