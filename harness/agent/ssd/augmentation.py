"""Views of a training image: windows of it, mirrored, in other light, with the boxes that they show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from .reference_ssd import SIDE

Boxes = NDArray[np.float32]  # (objects, 4): left, top, right, bottom, relative to the image
Labels = NDArray[np.int64]  # (objects,), from 1; 0 is the background

_WHOLE = 0.2  # share of views that show the whole image
_WINDOW = (0.55, 1.25)  # side of a window, of the image's
_STRETCH = 1.15  # of width to height, at most
_LEAST_VISIBLE = 0.5  # share of an object's area that a window must show, else it is no object there
_LIGHT = 0.3


@dataclass(frozen=True, slots=True)
class View:
    """What the network is shown: `pixels` (300, 300, 3) uint8."""

    pixels: NDArray[np.uint8]
    boxes: Boxes
    labels: Labels


def plain(image: Image.Image) -> NDArray[np.uint8]:
    """The whole image as the network is shown it: stretched to (300, 300, 3)."""
    return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def view(image: Image.Image, boxes: Boxes, labels: Labels, random: np.random.Generator) -> View:
    """One view, drawn at random. What lies outside of the image is grey."""
    window = _window(random)
    seen, which = boxes_within(boxes, window)
    shown = _cut(image, window)
    if random.random() < 0.5:
        shown = shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        seen = np.stack([1 - seen[:, 2], seen[:, 1], 1 - seen[:, 0], seen[:, 3]], axis=1)
    return View(_in_other_light(shown, random), seen, labels[which])


def boxes_within(boxes: Boxes, window: Boxes) -> tuple[Boxes, NDArray[np.bool_]]:
    """The boxes that a window (4,) shows, cut and relative to it, and which of `boxes` those are."""
    cut = np.concatenate([np.maximum(boxes[:, :2], window[:2]), np.minimum(boxes[:, 2:], window[2:])], axis=1)
    visible = np.clip(cut[:, 2:] - cut[:, :2], 0, None).prod(axis=1)
    which = visible >= _LEAST_VISIBLE * (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    side = np.tile(window[2:] - window[:2], 2)
    return ((cut[which] - np.tile(window[:2], 2)) / side).astype(np.float32), which


def _window(random: np.random.Generator) -> Boxes:
    if random.random() < _WHOLE:
        return np.array([0, 0, 1, 1], np.float32)
    side = random.uniform(*_WINDOW)
    stretch = _STRETCH ** random.uniform(-0.5, 0.5)
    size = np.array([side * stretch, side / stretch])
    start = random.uniform(np.minimum(0, 1 - size), np.maximum(0, 1 - size))
    return np.concatenate([start, start + size]).astype(np.float32)


def _cut(image: Image.Image, window: Boxes) -> Image.Image:
    left, top, right, bottom = (
        round(float(edge) * side) for edge, side in zip(window, (image.width, image.height) * 2, strict=True)
    )
    canvas = Image.new("RGB", (right - left, bottom - top), (127, 127, 127))
    canvas.paste(image, (-left, -top))
    return canvas.resize((SIDE, SIDE), Image.Resampling.BILINEAR)


def _in_other_light(image: Image.Image, random: np.random.Generator) -> NDArray[np.uint8]:
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = change(image).enhance(1 + random.uniform(-_LIGHT, _LIGHT))
    return np.asarray(image)
