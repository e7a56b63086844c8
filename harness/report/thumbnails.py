"""Makes small data URIs of the instructor's images, once for all pages."""

from __future__ import annotations

import base64
import io
from typing import Protocol

from PIL import Image

from harness.inputs.images import HeldOutSet
from harness.inputs.images.decoding import upright_rgb

_LONGEST_SIDE = 260  # pixels; shown at half that size, to be sharp on a dense screen
_WITH_BOXES = 480  # of images that are shared, and over which boxes are drawn


class Thumbnails(Protocol):
    """Index in the held-out set -> what shows the image; None if it is missing or does not decode."""

    @property
    def lost_some(self) -> bool:
        """Whether it could not show an image that is in the set, which may be there again in a later run."""

    def __call__(self, index: int, /) -> str | None: ...

    def key(self) -> object:
        """What decides all of its answers, but where it lost some."""


def thumbnails(held_out: HeldOutSet, shared: bool = False) -> Thumbnails:
    """Index in the held-out set -> data URI of a JPEG; None if the image is missing or does not decode.

    `shared`: for files that many pages show, which may be larger where boxes are drawn over them.
    """
    return _HeldOutImages(held_out, _WITH_BOXES if shared and held_out.objects else _LONGEST_SIDE)


class _HeldOutImages:
    def __init__(self, held_out: HeldOutSet, side: int) -> None:
        self._held_out, self._side = held_out, side
        self._made: dict[int, str | None] = {}
        self.lost_some = False

    def __call__(self, index: int) -> str | None:
        if not 0 <= index < len(self._held_out.files):
            return None
        if index not in self._made:
            self._made[index] = self._image(index)
            self.lost_some |= self._made[index] is None
        return self._made[index]

    def key(self) -> object:
        return self._held_out.sha256, self._side

    def _image(self, index: int) -> str | None:
        try:
            image = upright_rgb(self._held_out.content(index), self._side)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return None
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=80)
        return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


class NoImages:
    """In place of images that a page may not show, or that there are not."""

    lost_some = False

    def __call__(self, *_: object) -> str | None:
        return None

    def key(self) -> object:
        return None
