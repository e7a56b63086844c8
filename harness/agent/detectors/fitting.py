"""From an image to a detector's input, and from boxes in the input back to the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images.preprocessing import Layout
from .detector import Description, Floats, Pixels

_GREY = 114  # Ultralytics' LetterBox fills with it


@dataclass(frozen=True, slots=True)
class Fitted:
    """An image at the size of a detector's input, and where it lies in there. Lengths are pixels of the input."""

    pixels: Pixels
    left: float
    top: float
    width: float  # of the image in the input
    height: float

    def relative(self, corners: Floats) -> Floats:
        """Corners (boxes, 4) in pixels of the input, as shares of the image's sides."""
        start = np.array([self.left, self.top, self.left, self.top], np.float32)
        size = np.array([self.width, self.height, self.width, self.height], np.float32)
        found: Floats = (corners - start) / size
        return found


def fitted(image: Pixels, description: Description) -> Fitted:
    """The image as the detector takes it. `description` says how, and how large."""
    height, width = image.shape[:2]
    wide, high = description.width or width, description.height or height
    if description.fit == "letterbox":
        return _letterboxed(image, wide, high)
    return Fitted(resized(image, wide, high), 0, 0, wide, high)


def _letterboxed(image: Pixels, wide: int, high: int) -> Fitted:
    """The image scaled to fit inside, in the middle, with grey around it.

    Sizes are rounded as Ultralytics' LetterBox and scale_boxes round them.
    """
    height, width = image.shape[:2]
    gain = min(high / height, wide / width)
    across, down = round(width * gain), round(height * gain)
    left, top = round((wide - across) / 2 - 0.1), round((high - down) / 2 - 0.1)
    canvas = np.full((high, wide, 3), _GREY, np.uint8)
    canvas[top : top + down, left : left + across] = resized(image, across, down)
    return Fitted(canvas, left, top, width * gain, height * gain)


def resized(image: Pixels, width: int, height: int) -> Pixels:
    """The image (height, width, 3), each pixel from the four nearest, without smoothing: as OpenCV's INTER_LINEAR.

    The tools that train these detectors resize so; Pillow's, which smooths, would show a detector other images.
    """
    if image.shape[:2] == (height, width):
        return image
    above, below, down = _between(image.shape[0], height)
    rows = image[above] * (1 - down)[:, None, None] + image[below] * down[:, None, None]
    left, right, across = _between(image.shape[1], width)
    values = rows[:, left] * (1 - across)[None, :, None] + rows[:, right] * across[None, :, None]
    return np.rint(values).astype(np.uint8)


def _between(size: int, wanted: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """For each of `wanted` positions the two pixels of `size` that it lies between, and the weight of the second."""
    position = ((np.arange(wanted) + 0.5) * (size / wanted) - 0.5).clip(0, size - 1)
    first = position.astype(np.int64)
    return first, np.minimum(first + 1, size - 1), (position - first).astype(np.float32)


def model_input(pixels: Pixels, description: Description, layout: Layout, dtype: str) -> NDArray[Any]:
    """The input (1, ...) for one image that has the input's size. A uint8 model gets the pixels as they are."""
    ordered = pixels[..., ::-1] if description.colour == "BGR" else pixels
    values: NDArray[Any] = ordered
    if dtype != "uint8":
        mean, std = np.asarray(description.mean, np.float32), np.asarray(description.std, np.float32)
        values = (ordered.astype(np.float32) * np.float32(description.scale) - mean) / std
    return np.ascontiguousarray(np.moveaxis(values, -1, 0) if layout == "NCHW" else values)[np.newaxis]
