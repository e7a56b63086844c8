"""Annotated images of a data set as the training takes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..dataset import Box, DatasetImage, Reading
from .views import Example

_LONGEST_SIDE = 640  # pixels that are kept of an image; a window of it becomes 300
_LEAST_SIDE = 1.0  # pixels: a smaller box is none


def annotated(reading: Reading, classes: Sequence[str]) -> list[Example]:
    """The images with at least one box of one of the classes; boxes of other classes are left out, and difficult ones,
    as the trainer does.

    Boxes are cut to the image, and those that are empty then or not numbers are left out. VOC counts pixels from 1.
    """
    labels = {name: number for number, name in enumerate(classes, 1)}
    first = 1 if reading.layout == "voc" else 0
    found = (_example(image, labels, first) for image in reading.images if image.boxes)
    return [one for one in found if len(one.labels)]


def upright(file: Path, stated_size: tuple[int, int] | None) -> Image.Image:
    """The image, RGB, turned as its EXIF says unless its boxes were drawn on the unturned one."""
    with Image.open(file) as opened:
        turned = ImageOps.exif_transpose(opened)
        drawn_on = opened if stated_size == opened.size != turned.size else turned
        return drawn_on.convert("RGB")


def _example(dataset_image: DatasetImage, labels: dict[str, int], first: int) -> Example:
    image = upright(dataset_image.file, dataset_image.stated_size)
    placed = [
        (_corners(box, image, first), labels[box.label])
        for box in dataset_image.boxes
        if box.label in labels and not box.ignored
    ]
    kept = [(corners, label) for corners, label in placed if corners]
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.BILINEAR)
    boxes = np.array([corners for corners, _ in kept], np.float32).reshape(-1, 4)
    return Example(image, boxes, np.array([label for _, label in kept], np.int64))


def _corners(box: Box, image: Image.Image, first: int) -> tuple[float, float, float, float] | None:
    """Relative to the image; None for a box without an area in it."""
    sides = [side - first for side in (box.left, box.top, box.right, box.bottom)]
    if not all(math.isfinite(side) for side in sides):
        return None
    left, right = (min(max(side, 0.0), image.width) for side in sides[::2])
    top, bottom = (min(max(side, 0.0), image.height) for side in sides[1::2])
    if right - left < _LEAST_SIDE or bottom - top < _LEAST_SIDE:
        return None
    return left / image.width, top / image.height, right / image.width, bottom / image.height
