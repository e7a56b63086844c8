"""Writes images of the course once for all of the instructor's pages, which name them by path.

A student's page is given away alone, so it holds its images itself.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from harness.files.private import private_folder
from harness.files.whole_file import whole_file
from harness.report.places import SHARED
from harness.report.thumbnails import Thumbnails

_NAME_CHARACTERS = 12  # of the SHA-256
_SHOWN = re.compile(rf"\.\./\.\./{SHARED}/([0-9a-f]{{{_NAME_CHARACTERS}}}\.jpg)")


class SharedImages:
    """The folder `out/shared`."""

    def __init__(self, image: Thumbnails, out: Path) -> None:
        self._image, self._folder = image, out / SHARED
        self._used: set[str] = set()
        self._paths: dict[int, str | None] = {}

    def __call__(self, index: int) -> str | None:
        """The image's path, as seen from a submission's page. Raises `OSError` when it cannot be written."""
        if index not in self._paths:
            self._paths[index] = self._path(index)
        return self._paths[index]

    @property
    def lost_some(self) -> bool:
        return self._image.lost_some

    def key(self) -> object:
        """What decides the images and their names."""
        return self._image.key(), SHARED

    def keep(self, page: str) -> bool:
        """Keep what the page of an earlier run shows; whether all of it is there."""
        names = set(_SHOWN.findall(page))
        if not all(name in self._used or (self._folder / name).is_file() for name in names):
            return False
        self._used |= names
        return True

    def _path(self, index: int) -> str | None:
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
