"""An image in all the versions that a phase asks about."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from PIL import Image

from .corruptions import corrupted, shrunk
from .preprocessing import upright


class CorruptedImage:
    """An image in all its versions; their random seed comes from its content, not from its position.

    `harness/stages/detection/detect_worse.py` makes the same seed, to move boxes with the image.
    """

    def __init__(self, encoded: bytes, versions: Sequence[Sequence[Any]]) -> None:
        """`versions`: pairs of corruption and severity. Raises `UnreadableImage`."""
        self._image: Image.Image = shrunk(upright(encoded))
        self._versions = versions
        self._seed = int.from_bytes(hashlib.sha256(encoded).digest()[:4])

    def version(self, number: int) -> Image.Image:
        """Version `number`; 0 is the unchanged image."""
        if number == 0:
            return self._image
        corruption, severity = self._versions[number - 1]
        return corrupted(self._image, corruption, severity, self._seed)
