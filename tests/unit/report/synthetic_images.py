"""Drawn images of five objects, in place of photographs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from harness.inputs.images import HeldOutSet, load

CLASSES = ("ball", "book", "bottle", "mug", "plant")
PER_CLASS = 30


def held_out_images(folder: Path, rng: np.random.Generator) -> HeldOutSet:
    for name in CLASSES:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(PER_CLASS):
            _image(name, rng).save(folder / name / f"{i:02}.jpg", quality=85)
    return load(folder)


def _image(name: str, rng: np.random.Generator) -> Image.Image:
    image = background((240, 200), rng)
    x, y, size = int(rng.integers(85, 155)), int(rng.integers(85, 115)), int(rng.integers(38, 62))
    draw(image, name, x, y, size, rng)
    return image


def _colour(low: int, high: int, rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(low, high, 3)
    return int(red), int(green), int(blue)


def background(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A plain wall with some noise; `size` is width and height in pixels."""
    width, height = size
    ramp = np.linspace(0.7, 1.0, height)[:, None, None] * np.array(_colour(120, 235, rng))[None, None, :]
    noise = rng.normal(0, 6, (height, width, 3))
    return Image.fromarray(np.clip(np.broadcast_to(ramp, noise.shape) + noise, 0, 255).astype("uint8"))


def draw(image: Image.Image, name: str, x: int, y: int, size: int, rng: np.random.Generator) -> None:
    """An object of the class around (x, y), about `size` pixels to each side."""
    drawing = ImageDraw.Draw(image)

    def colour(low: int, high: int) -> tuple[int, int, int]:
        return _colour(low, high, rng)

    body, dark = colour(40, 210), colour(20, 80)
    match name:
        case "ball":
            drawing.ellipse((x - size, y - size, x + size, y + size), fill=body)
            drawing.ellipse((x - size // 2, y - size * 2 // 3, x - size // 6, y - size // 3), fill=colour(220, 255))
        case "book":
            drawing.rectangle((x - size, y - size * 3 // 4, x + size, y + size * 3 // 4), fill=body)
            drawing.rectangle((x - size, y - size * 3 // 4, x - size + 9, y + size * 3 // 4), fill=dark)
        case "bottle":
            drawing.rounded_rectangle((x - size // 3, y - size // 2, x + size // 3, y + size), 8, fill=body)
            drawing.rectangle((x - size // 8, y - size, x + size // 8, y - size // 2), fill=dark)
        case "mug":
            drawing.ellipse((x + size // 4, y - size // 2, x + size, y + size // 2), outline=body, width=9)
            drawing.rounded_rectangle((x - size * 2 // 3, y - size, x + size // 2, y + size), 9, fill=body)
        case "plant":
            for angle in np.linspace(-2.6, -0.5, 7):
                tip = (x + size * 1.4 * math.cos(angle), y + size * 1.4 * math.sin(angle))
                drawing.line([(x, y + size // 3), tip], fill=(30, 120, 50), width=8)
            drawing.rectangle((x - size // 2, y + size // 3, x + size // 2, y + size), fill=dark)
