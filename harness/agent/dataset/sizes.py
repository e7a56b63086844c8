"""The size of an image, from the head of its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

MOST_PIXELS = 100 * 10**6
_ORIENTATION = 0x0112  # EXIF
_WIDTH, _HEIGHT = 0x0100, 0x0101  # TIFF
_SWAPPED = (5, 6, 7, 8)  # orientations for which the upright image has its sides swapped


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a file says: width and height of the image as it is stored, and EXIF's orientation."""

    stored: tuple[int, int]
    orientation: int

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the upright image."""
        return self.stored[::-1] if self.orientation in _SWAPPED else self.stored


def head_of(opened: Image.Image) -> Head:
    """The head of an image that is open and not yet decoded."""
    tags = getattr(opened, "tag_v2", {})  # Pillow gives the size of a TIFF as if it were turned already
    stored = (tags[_WIDTH], tags[_HEIGHT]) if _WIDTH in tags and _HEIGHT in tags else opened.size
    return Head(stored, int(opened.getexif().get(_ORIENTATION) or 1))


def head(file: Path) -> Head | None:
    """The head of an image; None when it cannot be read, or the image has more than 100 million pixels."""
    try:
        with Image.open(file) as opened:
            found = head_of(opened)
    except Exception:  # decoders raise many kinds; each means that the image cannot be used
        return None
    return found if 0 < found.stored[0] * found.stored[1] <= MOST_PIXELS else None


def upright_size(file: Path) -> tuple[int, int] | None:
    """Width and height of the upright image; None where `head` is."""
    found = head(file)
    return None if found is None else found.upright
