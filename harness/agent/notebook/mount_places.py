"""The places below a notebook's folder where images are put: which may be filled, and what was put there."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from .foreign_paths import is_foreign


@contextlib.contextmanager
def unless_in_the_way() -> Iterator[None]:
    """Skip a place that cannot be made: a file of that name was handed in, or the name is not valid."""
    with contextlib.suppress(OSError, ValueError):
        yield


class MountPlaces:
    """Places for one notebook; `said` has a sentence for each that was filled."""

    def __init__(self, here: Path, tops: tuple[Path, ...]) -> None:
        """`here`: the notebook's folder; nothing is made outside `tops`."""
        self._here, self._tops = here, tops
        self.said: dict[str, None] = {}

    def _cleared(self, place: str) -> Path:
        """The folder of that name, with what was handed in there removed."""
        folder = self._here / place
        below_here = [part for part in (*reversed(folder.parents), folder) if self._here in part.parents]
        in_the_way = next((part for part in below_here if part.is_symlink() or part.is_file()), None)
        if in_the_way is not None:
            in_the_way.unlink()
        elif folder.is_dir():
            shutil.rmtree(folder)
        return folder

    def _relative(self, folder: str) -> str | None:
        """The path relative to the notebook; None for a place outside the folders that may be filled."""
        whole = os.path.normpath(self._here / folder)
        inside = any(whole.startswith(f"{top}/") for top in self._tops)
        return os.path.relpath(whole, self._here) if inside and not is_foreign(folder) else None

    def _was_handed_in(self, folder: Path) -> bool:
        """Whether the folder already has files."""
        return folder.is_dir() and any(True for file in folder.rglob("*") if not file.is_dir())

    def _say(self, folder: Path, count: int) -> None:
        shown = folder.relative_to(self._here) if self._here in folder.parents else folder
        images = f"{count} image{'' if count == 1 else 's'}"
        self.said[f"{shown}: {images}" if count else f"{shown}: empty, the images are in place"] = None
