"""Puts the course's images where a notebook looks for them, in class folders or in the splits that it asks for.

A place consists of real folders with a link for each image, so that a notebook may move, remove and add files
there. Files that were handed in stay; only `mounted_as` always holds the assignment's images.
"""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..images.listing import IMAGE_SUFFIXES, is_litter
from .dataset_paths import Reads
from .foreign_paths import parts_of, place_of_name
from .made_archives import asked_for, is_archive, make
from .mount_places import MountPlaces, unless_in_the_way

_SUFFIXES = IMAGE_SUFFIXES
_PARTS: dict[str, tuple[str, ...]] = {
    "train": ("train", "training", "training_set", "train_set", "trainset", "traindata", "train_data", "training_data"),
    "validation": ("val", "valid", "validation", "validate", "dev", "validation_set", "valid_set", "val_data", "eval"),
    "test": ("test", "testing", "test_set", "testset", "test_data", "test_images", "holdout"),
}
_PART_OF = {word: part for part, words in _PARTS.items() for word in words}
_SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}
_MOST_PLACES = 24

Layout = Literal["auto", "classes", "split", "flat"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A folder that a notebook reads: the place that should hold the images, and the part of them that it asks for."""

    base: tuple[str, ...]  # the place's path components, relative to the notebook's folder
    word: str  # the notebook's own word for the part; empty when it asks for all images


def asked(folder: str, classes: Iterable[str]) -> Asked:
    """Parse a folder's path: `flowers/train/rose` asks for the part `train` of the place `flowers`."""
    parts = parts_of(folder)
    lower = {name.lower() for name in classes}
    if len(parts) > 1 and parts[-1].lower() in lower:
        parts = parts[:-1]
    for at in range(len(parts) - 1, max(-1, len(parts) - 3), -1):  # the last component, or the parent of a class folder
        if parts[at].lower() in _PART_OF:
            return Asked(tuple(parts[:at]), parts[at])
    return Asked(tuple(parts), "")


def _is_image(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES) and not is_litter(name)


def _composed(name: str) -> str:
    """The name as the rule `unicode_names` makes that of a notebook's."""
    return unicodedata.normalize("NFC", name)


class Given(MountPlaces):
    """Puts the images in place for one notebook, in class folders."""

    def __init__(self, images: Path, here: Path, tops: tuple[Path, ...]) -> None:
        """`images`: class folders. `here`: the notebook's folder; nothing is made outside `tops`."""
        super().__init__(here, tops)
        self._classes = {
            _composed(folder.name): sorted(f for f in folder.iterdir() if _is_image(f.name))
            for folder in sorted(images.iterdir())
            if folder.is_dir() and not is_litter(folder.name)
        }

    def mount(self, place: str) -> None:
        """Put all images there in class folders, even if files were handed in there."""
        self._fill(self._cleared(place), self._classes)

    def put(self, reads: Reads, names: tuple[str, ...], layout: Layout, mounted: str, text: str) -> None:
        """Fill places that the notebook reads and nobody handed in, and those of `names` that `text` mentions."""
        own = tuple(parts_of(mounted))
        wanted: dict[tuple[str, ...], dict[str, None]] = {}
        unpacks_its_own = any((self._here / archive).is_file() for archive in reads.archives)
        for folder in list(reads.folders)[: 4 * _MOST_PLACES] if not unpacks_its_own else []:
            if folder in reads.made or (relative := self._relative(folder)) is None:
                continue
            one = asked(relative, self._classes)
            if (*one.base, *([one.word] if one.word else [])) == own or not (one.base or one.word):
                continue
            wanted.setdefault(one.base, {})[one.word] = None
        for name in names:
            if parts_of(name) and parts_of(name)[-1] in text:
                one = asked(place_of_name(name), self._classes)
                if not is_archive(name):
                    wanted.setdefault(one.base, {}).setdefault(one.word, None)
        places = {own, *((*base, word) if word else base for base, words in wanted.items() for word in words)}
        for base, words in list(wanted.items())[:_MOST_PLACES]:
            if any(len(place) > len(base) and place[: len(base)] == base for place in places) and set(words) == {""}:
                continue  # the notebook reads a folder below it
            with unless_in_the_way():
                self._place(base, [word for word in words if word], layout, own)
        for archive in asked_for(names, text, tuple(reads.archives)):
            with unless_in_the_way():
                self._archive(archive)

    def _place(self, base: tuple[str, ...], words: list[str], layout: Layout, own: tuple[str, ...]) -> None:
        beside = [word for word in words if (*base, word) != own]
        if layout == "classes" or (layout == "auto" and not words):
            if not self._was_handed_in(self._here.joinpath(*base)):
                self._fill(self._here.joinpath(*base), self._classes)
            return
        if layout == "flat":
            for word in words or [""]:
                self._fill_flat(self._here.joinpath(*base, *([word] if word else [])))
            return
        words = beside or (["train", "validation"] if layout == "split" else [])
        parts = dict.fromkeys(_PART_OF[word.lower()] for word in words) or {"train": None}
        if own and own[:-1] == base:
            parts.setdefault("train", None)
        for word in words:
            folder = self._here.joinpath(*base, word)
            if not self._was_handed_in(folder):
                self._fill(folder, self._part(_PART_OF[word.lower()], tuple(parts)))

    def _part(self, part: str, among: tuple[str, ...]) -> dict[str, list[Path]]:
        """The images of one part: consecutive images of each class, so that a burst stays together; never empty."""
        total = sum(_SHARES[name] for name in among)
        before = sum(
            _SHARES[name] for name in _SHARES if name in among and list(_SHARES).index(name) < list(_SHARES).index(part)
        )
        chosen = {}
        for name, files in self._classes.items():
            first, last = round(len(files) * before / total), round(len(files) * (before + _SHARES[part]) / total)
            chosen[name] = files[first:last] or files[-1:]
        return chosen

    def _fill(self, folder: Path, images: dict[str, list[Path]]) -> None:
        for name, files in images.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            for file in files:
                (folder / name / _composed(file.name)).symlink_to(file)
        self._say(folder, sum(map(len, images.values())))

    def _fill_flat(self, folder: Path) -> None:
        """Put all images into one folder as `cat.0.jpg`, `cat.1.jpg`, ..."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, files in self._classes.items():
            for number, file in enumerate(files):
                (folder / f"{name}.{number}{file.suffix.lower()}").symlink_to(file)
        self._say(folder, sum(map(len, self._classes.values())))

    def _archive(self, place: str) -> None:
        """Make an archive that the notebook opens, with class folders; only a note where the images are in place."""
        file = self._here / place
        if file.exists() or self._relative(place) is None:
            return
        files = [(label, file) for label, files in self._classes.items() for file in files] if not self.said else []

        def fill(content: Path) -> None:
            for label, image in files:
                (content / label).mkdir(exist_ok=True)
                shutil.copyfile(image, content / label / image.name)

        make(file, "\n".join(self.said) or "one folder for each class", fill)
        self._say(file, len(files))
