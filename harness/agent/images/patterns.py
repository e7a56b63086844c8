"""Drawn patterns that show no object, for a model's answers to images of none of its classes."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

_SIDE = 224  # pixels
KINDS = ("stripes", "checks", "clouds", "noise", "polygons", "gradient")


def pattern(number: int) -> Image.Image:
    """The pattern `number`, RGB, 224 x 224 pixels; the kinds alternate."""
    random = np.random.default_rng([2019, number])
    one, two = random.integers(0, 256, (2, 3))
    across, down = np.meshgrid(np.arange(_SIDE), np.arange(_SIDE))
    kind = KINDS[number % len(KINDS)]
    if kind == "polygons":
        return _polygons(random)
    if kind == "noise":
        return Image.fromarray(random.integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8))
    if kind == "clouds":
        coarse = Image.fromarray(random.integers(0, 256, (7, 7, 3), dtype=np.uint8))
        return coarse.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    period, angle = random.uniform(8, 60), random.uniform(0, np.pi)
    along = across * np.cos(angle) + down * np.sin(angle)
    if kind == "stripes":
        share = (along // period) % 2
    elif kind == "checks":
        share = (across // period + down // period) % 2
    else:
        share = (along - along.min()) / max(float(np.ptp(along)), 1.0)
    mixed = share[..., None] * one + (1 - share[..., None]) * two
    return Image.fromarray(mixed.astype(np.uint8))


def _polygons(random: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", (_SIDE, _SIDE), tuple(int(v) for v in random.integers(0, 256, 3)))
    drawing = ImageDraw.Draw(image)
    for _ in range(6):
        corners = [(int(x), int(y)) for x, y in random.integers(0, _SIDE, (int(random.integers(3, 6)), 2))]
        drawing.polygon(corners, fill=tuple(int(v) for v in random.integers(0, 256, 3)))
    return image
