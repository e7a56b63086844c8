"""The boxes of an image as shares of the upright image's sides: the one place of this arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .image import Box, DatasetImage, Layout
from .sizes import Head, head

_LEAST_SIDE = 1.0  # pixels: a smaller box is none
_MOST_BOXES = 1000  # of one image

_Corners = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """An object. The corners are shares of the upright image's sides, 0 to 1."""

    label: str
    left: float
    top: float
    right: float
    bottom: float
    ignored: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """The upright image's width and height in pixels, what is on it, and how many boxes were left out."""

    width: int
    height: int
    boxes: tuple[PlacedBox, ...]
    left_out: int


def placed(image: DatasetImage, layout: Layout) -> Placed | None:
    """The image with its boxes; None when the file's head cannot be read.

    Boxes are cut to the image; those that are empty then or not numbers are left out, and those after the first 1000.
    VOC counts pixels from 1. Where the annotation states the size of the image as it is stored and EXIF turns it, the
    boxes were drawn on the unturned image, and are turned with it.
    """
    found = head(image.file)
    if found is None:
        return None
    drawn_on = found.stored if image.stated_size == found.stored != found.upright else found.upright
    first = 1 if layout == "voc" else 0
    boxes = []
    for box in image.boxes[:_MOST_BOXES]:
        corners = _corners(box, drawn_on, first)
        if corners is not None:
            if drawn_on != found.upright:
                corners = _turned(corners, found)
            boxes.append(PlacedBox(box.label, *corners, box.ignored))
    return Placed(*found.upright, tuple(boxes), len(image.boxes) - len(boxes))


def _corners(box: Box, size: tuple[int, int], first: int) -> _Corners | None:
    """Shares of the image's sides; None for a box without an area in it. `first`: the number of the first pixel."""
    sides = [side - first for side in (box.left, box.top, box.right, box.bottom)]
    if not all(math.isfinite(side) for side in sides):
        return None
    width, height = size
    left, right = (min(max(side, 0.0), width) for side in sides[::2])
    top, bottom = (min(max(side, 0.0), height) for side in sides[1::2])
    if right - left < _LEAST_SIDE or bottom - top < _LEAST_SIDE:
        return None
    return left / width, top / height, right / width, bottom / height


def _turned(corners: _Corners, of: Head) -> _Corners:
    """The box on the upright image. Only the orientations that swap the sides come here."""
    left, top, right, bottom = corners
    match of.orientation:
        case 5:  # mirrored along the diagonal
            return top, left, bottom, right
        case 6:  # turned clockwise
            return 1 - bottom, left, 1 - top, right
        case 7:  # mirrored along the other diagonal
            return 1 - bottom, 1 - right, 1 - top, 1 - left
        case _:  # 8: turned counter-clockwise
            return top, 1 - right, bottom, 1 - left
