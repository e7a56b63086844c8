"""Puts a course's data set with boxes where a notebook looks for it: as it lies, with its annotations and lists.

A place consists of real folders with a link for each file, as in `dataset_mounts.py`.
"""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

from ..images.listing import IMAGE_SUFFIXES, is_litter
from .dataset_paths import Reads
from .foreign_paths import parts_of, place_of_name
from .made_archives import asked_for, is_archive, make
from .mount_places import MountPlaces, unless_in_the_way

_MOST_PLACES = 24
_MOST_FOLDERS = 96  # that a notebook reads and that are looked at


class GivenTree(MountPlaces):
    """Puts a data set in place for one notebook."""

    def __init__(self, dataset: Path, here: Path, tops: tuple[Path, ...]) -> None:
        """`here`: the notebook's folder; nothing is made outside `tops`."""
        super().__init__(here, tops)
        found = (file.relative_to(dataset) for file in sorted(dataset.rglob("*")) if file.is_file())
        self._files = [(file, dataset / file) for file in found if not any(map(is_litter, file.parts))]
        parents = {parent for file, _ in self._files for parent in file.parents}
        self._folders = {tuple(parent.parts) for parent in parents if parent.parts}

    def mount(self, place: str) -> None:
        """Put the data set there, even if files were handed in there."""
        self._fill(self._cleared(place))

    def put(self, reads: Reads, names: tuple[str, ...], mounted: str, text: str) -> None:
        """Fill places of which the notebook reads a folder and nobody handed in, and those of `names` in `text`."""
        own, before = tuple(parts_of(mounted)), len(self.said)
        wanted: dict[tuple[str, ...], None] = {}
        unpacks_its_own = any((self._here / archive).is_file() for archive in reads.archives)
        for folder in list(reads.folders)[:_MOST_FOLDERS] if not unpacks_its_own else []:
            if folder not in reads.made and (relative := self._relative(folder)) is not None:
                wanted.setdefault(self._base(tuple(parts_of(relative))))
        for name in names:
            if parts_of(name) and parts_of(name)[-1] in text and not is_archive(name):
                wanted.setdefault(tuple(parts_of(place_of_name(name))))
        for base in [base for base in wanted if base and base != own][:_MOST_PLACES]:
            with unless_in_the_way():
                place = self._here.joinpath(*base)
                if self._relative(str(PurePosixPath(*base))) is not None and not self._was_handed_in(place):
                    self._fill(place)
        is_placed = len(self.said) > before
        for archive in asked_for(names, text, tuple(reads.archives)):
            with unless_in_the_way():
                self._archive(archive, [] if is_placed else self._files)

    def _base(self, folder: tuple[str, ...]) -> tuple[str, ...]:
        """The place of which a notebook reads this folder: `cards` for `cards/ImageSets/Main`; empty for none."""
        for start in range(1, len(folder)):
            if folder[start:] in self._folders:
                return folder[:start]
        return ()

    def _fill(self, place: Path) -> None:
        for name, file in self._files:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).symlink_to(file)
        self._say(place, sum(name.suffix.lower() in IMAGE_SUFFIXES for name, _ in self._files))

    def _archive(self, place: str, files: list[tuple[Path, Path]]) -> None:
        """Make an archive that the notebook opens; only a note where the files lie already where it reads them."""
        file = self._here / place
        if file.exists() or self._relative(place) is None:
            return

        def fill(content: Path) -> None:
            for name, source in files:
                (content / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, content / name)

        make(file, "the data set as it is" if files else "\n".join(self.said), fill)
        self._say(file, sum(name.suffix.lower() in IMAGE_SUFFIXES for name, _ in files))
