"""Decodes an instructor's image as a person sees it: upright, 16 bits scaled, a cut-out on white."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps

UNDECODABLE = (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError)
_ORIENTATION = 0x0112
_PLAIN_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "MPO")
_PLAIN_MODES = ("1", "L", "P", "RGB")


def upright_rgb(file: Path | IO[bytes], longest_side: int | None = None) -> Image.Image:
    """The image, upright, as RGB without metadata, shrunk to `longest_side` pixels. Raises one of `UNDECODABLE`."""
    with Image.open(file) as opened:
        image = rgb(ImageOps.exif_transpose(opened))
    if longest_side is not None:
        image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    clean = Image.new("RGB", image.size)
    clean.paste(image)
    return clean


def is_plain(file: Path) -> bool:
    """Whether every program shows the image alike: 8 bits, opaque, upright, RGB or grey. Only its header is read.

    Raises one of `UNDECODABLE`.
    """
    with Image.open(file) as opened:
        return (
            opened.format in _PLAIN_FORMATS
            and opened.mode in _PLAIN_MODES
            and "transparency" not in opened.info
            and opened.getexif().get(_ORIENTATION, 1) == 1
        )


def rgb(image: Image.Image) -> Image.Image:
    """The image as RGB, as `harness/agent/images/preprocessing.py` makes it: `convert` would make 16 bits white."""
    if image.mode.startswith("I") or image.mode == "F":
        wide = np.asarray(image, dtype=np.float64)
        top = 65535.0 if wide.max(initial=0) > 255 else 255.0
        return Image.fromarray((wide.clip(0, top) / top * 255).round().astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        with_alpha = image.convert("RGBA")
        white = Image.new("RGBA", with_alpha.size, "white")
        return Image.alpha_composite(white, with_alpha).convert("RGB")
    return image.convert("RGB")
