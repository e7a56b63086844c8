"""Writes images of the course once for all of the instructor's pages, which name them by path.

A student's page is given away alone, so it holds its images itself.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from harness.files.private import private_folder
from harness.files.whole_file import whole_file
from harness.report.places import SHARED
from harness.report.thumbnails import Thumbnails

_NAME_CHARACTERS = 12  # of the SHA-256


class SharedImages:
    """The folder `out/shared`."""

    def __init__(self, image: Thumbnails, out: Path) -> None:
        self._image, self._folder = image, out / SHARED
        self._used: set[str] = set()
        self.path = cache(self._path)

    def _path(self, index: int) -> str | None:
        """The image's path, as seen from a submission's page. Raises `OSError` when it cannot be written."""
        uri = self._image(index)
        if uri is None:
            return None
        content = base64.b64decode(uri.partition(",")[2])
        name = f"{hashlib.sha256(content).hexdigest()[:_NAME_CHARACTERS]}.jpg"
        if name not in self._used:
            private_folder(self._folder)
            with whole_file(self._folder / name) as stream:
                stream.write(content)
            self._used.add(name)
        return f"../../{SHARED}/{name}"

    def remove_others(self) -> None:
        """Remove an earlier run's images that no page shows any more."""
        for file in self._folder.glob("*.jpg"):
            if file.name not in self._used:
                file.unlink(missing_ok=True)
