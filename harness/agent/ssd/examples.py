"""Annotated images of a data set as the training takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..dataset import DatasetImage, Reading
from ..dataset.image import Layout
from ..dataset.placed import placed
from .views import Example

_LONGEST_SIDE = 640  # pixels that are kept of an image; a window of it becomes 300


def annotated(reading: Reading, classes: Sequence[str]) -> list[Example]:
    """The images with at least one box of one of the classes, upright, with their boxes as `placed` gives them.

    Boxes of other classes are left out, and difficult ones, as the trainer does; and images that do not decode.
    """
    labels = {name: number for number, name in enumerate(classes, 1)}
    found = (_example(image, labels, reading.layout) for image in reading.images if image.boxes)
    return [one for one in found if one is not None]


def upright(file: Path) -> Image.Image:
    """The image, RGB, turned as its EXIF says. Raises whatever a decoder raises."""
    with Image.open(file) as opened:
        return ImageOps.exif_transpose(opened).convert("RGB")


def _example(dataset_image: DatasetImage, labels: dict[str, int], layout: Layout) -> Example | None:
    """None where there is no box to learn from, or the image does not decode."""
    objects = placed(dataset_image, layout)
    kept = [box for box in objects.boxes if box.label in labels and not box.ignored] if objects else []
    if not kept:
        return None
    try:
        image = upright(dataset_image.file)
    except Exception:  # decoders raise many kinds; each means that the image cannot be used
        return None
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.BILINEAR)
    boxes = np.array([(box.left, box.top, box.right, box.bottom) for box in kept], np.float32)
    return Example(image, boxes, np.array([labels[box.label] for box in kept], np.int64))
