"""Makes small data URIs of the instructor's images, once for all pages."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from functools import cache

from PIL import Image

from harness.inputs.images import HeldOutSet
from harness.inputs.images.decoding import upright_rgb

_LONGEST_SIDE = 260  # pixels; shown at half that size, to be sharp on a dense screen
_WITH_BOXES = 480  # of images that are shared, and over which boxes are drawn

Thumbnails = Callable[[int], str | None]


def thumbnails(held_out: HeldOutSet, shared: bool = False) -> Thumbnails:
    """Index in the held-out set -> data URI of a JPEG; None if the image is missing or does not decode.

    `shared`: for files that many pages show, which may be larger where boxes are drawn over them.
    """
    side = _WITH_BOXES if shared and held_out.objects else _LONGEST_SIDE

    @cache
    def thumbnail(index: int) -> str | None:
        if not 0 <= index < len(held_out.files):
            return None
        try:
            image = upright_rgb(held_out.files[index], side)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return None
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=80)
        return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"

    return thumbnail
