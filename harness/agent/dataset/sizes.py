"""The size of an image, from the head of its file."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

MOST_PIXELS = 100 * 10**6
_ORIENTATION = 0x0112  # EXIF


def upright_size(file: Path) -> tuple[int, int] | None:
    """Width and height of the upright image; None when it cannot be read, or has more than 100 million pixels."""
    try:
        with Image.open(file) as opened:
            size, turned = opened.size, opened.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
    except Exception:  # decoders raise many kinds; each means that the image cannot be used
        return None
    if not 0 < size[0] * size[1] <= MOST_PIXELS:
        return None
    return size[::-1] if turned else size
