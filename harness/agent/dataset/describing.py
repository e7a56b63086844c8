"""Describes an image in numbers that can be compared with other images' without showing the image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ..images.preprocessing import rgb
from .keypoints import Extractor
from .sizes import MOST_PIXELS, head_of

GREY = 128  # pixels, both sides
THUMBNAIL = 112  # pixels, both sides
_WORKING_SIDE = 512  # pixels, the longer one: for blur and exposure
_BRIGHT, _DARK = 250, 5  # of 0..255: where a sensor, or its JPEG, clips
_BLUR_WINDOW = 9  # pixels of the working size, as in the paper
_EDGE = 0.04  # of the shorter side: the border where a cut-out shows its plain background
_PLAIN = 3  # grey levels: the largest standard deviation of such a border; a photographed wall has more
_MAKE, _MODEL, _COPYRIGHT, _ARTIST = 0x010F, 0x0110, 0x8298, 0x013B  # EXIF tags

Greys = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Described:
    """`blur`: 0 sharp to 1 (Crete and others, 2007). Shares are of the pixels; `brightness` is 0 to 1."""

    size: tuple[int, int]  # width and height, upright
    sha256: str  # of the pixels
    grey: NDArray[np.uint8]
    thumbnail: NDArray[np.uint8]
    blur: float
    brightness: float
    bright_share: float
    dark_share: float
    camera: bool  # the file names the camera that took it
    rights: bool  # the file names an artist or a copyright
    plain_border: bool
    keypoints: NDArray[np.uint8] | None  # as `keypoints.py` packs them

    def values(self) -> dict[str, Any]:
        """The values that are sent as JSON."""
        return {
            "width": self.size[0],
            "height": self.size[1],
            "sha256": self.sha256,
            "blur": round(self.blur, 4),
            "brightness": round(self.brightness, 4),
            "bright_share": round(self.bright_share, 4),
            "dark_share": round(self.dark_share, 4),
            "camera": self.camera,
            "rights": self.rights,
            "plain_border": self.plain_border,
        }


def opened(file: Path, longest_side: int) -> tuple[Image.Image, tuple[int, int], Image.Exif]:
    """The image, upright and RGB, its full size, and its EXIF.

    The image's longer side is at least `longest_side` pixels, unless the file is smaller.

    Raises whatever a decoder raises, and `ValueError` for more than 100 million pixels.
    """
    with Image.open(file) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError("it has too many pixels")
        exif, size = image.getexif(), head_of(image).upright
        image.draft("RGB", (longest_side, longest_side))  # a JPEG is decoded at a fraction of its size
        upright = rgb(ImageOps.exif_transpose(image))
    return upright, size, exif


def described(file: Path, extractor: Extractor | None = None) -> Described | None:
    """The image in numbers, with keypoints where an `extractor` is given; None when it does not decode."""
    try:
        image, size, exif = opened(file, 2 * _WORKING_SIDE)
    except Exception:  # decoders raise many kinds; each means that the image cannot be used
        return None
    digest = hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()
    small = image.convert("L")
    small.thumbnail((_WORKING_SIDE, _WORKING_SIDE), Image.Resampling.BOX)
    grey = np.asarray(small, dtype=np.float32)
    return Described(
        size=size,
        sha256=digest,
        grey=np.asarray(image.convert("L").resize((GREY, GREY), Image.Resampling.BOX)),
        thumbnail=_thumbnail(image),
        blur=_blur(grey),
        brightness=float(grey.mean() / 255),
        bright_share=float((grey >= _BRIGHT).mean()),
        dark_share=float((grey <= _DARK).mean()),
        camera=bool(exif.get(_MAKE) or exif.get(_MODEL)),
        rights=bool(exif.get(_COPYRIGHT) or exif.get(_ARTIST)),
        plain_border=_plain_border(grey),
        keypoints=None if extractor is None else extractor(np.asarray(small)),
    )


def _thumbnail(image: Image.Image) -> NDArray[np.uint8]:
    """The whole image in the middle of a grey square: (112, 112, 3)."""
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    square = Image.new("RGB", (THUMBNAIL, THUMBNAIL), (236, 236, 236))
    square.paste(small, ((THUMBNAIL - small.width) // 2, (THUMBNAIL - small.height) // 2))
    return np.asarray(square, dtype=np.uint8)


def _blur(grey: Greys) -> float:
    """The no-reference blur metric of Crete, Dolmiere, Ladret and Nicolas (2007).

    A sharp image loses much of its variation between neighbours when it is blurred again, a blurred
    one little. The measure is the worse of the two directions.
    """
    if min(grey.shape) < 2 * _BLUR_WINDOW:
        return 0.0
    return max(_blur_along(grey), _blur_along(np.ascontiguousarray(grey.T)))


def _blur_along(grey: Greys) -> float:
    half = _BLUR_WINDOW // 2
    sums = np.cumsum(np.pad(grey, ((half + 1, half), (0, 0)), mode="edge"), axis=0, dtype=np.float64)
    again = (sums[_BLUR_WINDOW:] - sums[:-_BLUR_WINDOW]) / _BLUR_WINDOW
    sharp = np.abs(np.diff(grey, axis=0))
    lost = np.maximum(0.0, sharp - np.abs(np.diff(again, axis=0)))
    total = float(sharp.sum())
    return (total - float(lost.sum())) / total if total else 0.0


def _plain_border(grey: Greys) -> bool:
    """Whether the border has one colour all round, as a cut-out or a shop's image has."""
    width = max(2, round(_EDGE * min(grey.shape)))
    sides = (grey[:width], grey[-width:], grey[:, :width], grey[:, -width:])
    border = np.concatenate([side.ravel() for side in sides])
    return bool(border.std() < _PLAIN and border.mean() > 230)
