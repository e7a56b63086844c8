"""What the names of image files and folders tell: links, litter, classes that do not fit, licences."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.grading.validation.verdicts import Verdict, below, doubt, error, fine, some
from harness.inputs.images.folders import class_folders, images_in, is_litter

_LICENCE = re.compile(r"^(licen[cs]e|copying|readme|credits|attribution|sources?)\b", re.IGNORECASE)
_FEWEST_TRAINING = 10  # images of a class: with fewer, a reference says little
_FEWEST_HELD_OUT = 5


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """One of the assignment's image sets. `classes` is empty for images of no class, and for those with boxes."""

    key: str  # `held_out`, `dataset` or `unseen`
    place: str  # where the assignment names it
    folder: Path
    classes: Mapping[str, tuple[Path, ...]]
    in_class_folders: bool = True

    @property
    def files(self) -> tuple[Path, ...]:
        """The images, class by class."""
        if not self.in_class_folders:
            return images_in(self.folder)
        return tuple(file for files in self.classes.values() for file in files)


def image_folder(key: str, place: str, folder: Path, *, boxes: bool = False) -> ImageFolder:
    """The set in that folder. `boxes`: its images have objects with boxes, and lie anywhere in it."""
    in_class_folders = key != "unseen" and not boxes
    return ImageFolder(key, place, folder, class_folders(folder) if in_class_folders else {}, in_class_folders)


def of_folders(sets: Mapping[str, ImageFolder], base: Path) -> list[Verdict]:
    """The verdicts on all sets, by key. `base`: the assignment's folder, below which files are named."""
    found = list[Verdict]()
    for one in sets.values():
        found += [*_class_names(one), *_few(one), *_links(one, base), *_litter(one, base), *_licence(one, base)]
    if "held_out" in sets and "dataset" in sets:
        found += _same_classes(sets["held_out"], sets["dataset"])
    return found


def alike(names: Iterable[str]) -> list[list[str]]:
    """Groups of different names that differ only by case, spaces or underscores."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        found[" ".join(unicodedata.normalize("NFKC", name).casefold().replace("_", " ").split())].append(name)
    return [group for group in found.values() if len(group) > 1]


def _class_names(one: ImageFolder) -> list[Verdict]:
    return [
        error(
            one.place,
            f"the classes {' and '.join(map(repr, names))} differ only by case, spaces or underscores: they are two "
            "classes here, and one on Windows and macOS",
            "rename one of the folders, or put their images together",
        )
        for names in alike(one.classes)
    ]


def _same_classes(held_out: ImageFolder, dataset: ImageFolder) -> list[Verdict]:
    found = []
    if unknown := sorted(set(held_out.classes) - set(dataset.classes)):
        what = f"no training images of {some(unknown)}; the training images have {some(sorted(dataset.classes))}"
        found.append(error(held_out.place, what, "give a class the same folder name in both sets"))
    if unmeasured := sorted(set(dataset.classes) - set(held_out.classes)):
        what = f"no held-out images of {some(unmeasured)}: nothing is measured of these classes"
        found.append(doubt(held_out.place, what, "put images of them into held_out.path"))
    return found


def _few(one: ImageFolder) -> list[Verdict]:
    least = {"dataset": _FEWEST_TRAINING, "held_out": _FEWEST_HELD_OUT}.get(one.key, 0)
    few = [f"{name} ({len(files)})" for name, files in one.classes.items() if len(files) < least]
    if few:
        return [doubt(one.place, f"few images of {some(few)}; at least {least} of each class should be there")]
    counts = ", ".join(f"{name} {len(files)}" for name, files in one.classes.items()) or f"{len(one.files)}"
    return [fine(one.place, f"images: {counts}")]


def _links(one: ImageFolder, base: Path) -> list[Verdict]:
    links = [below(path, base) for path in _entries(one.folder) if path.is_symlink()]
    if not links:
        return []
    what = f"{len(links)} links ({some(links)}): they are followed, but a copy of the folder may lack the images"
    return [doubt(one.place, what, "put the images themselves there")]


def _litter(one: ImageFolder, base: Path) -> list[Verdict]:
    litter = [below(path, base) for path in _entries(one.folder) if is_litter(path.name)]
    if not litter:
        return []
    return [doubt(one.place, f"{some(litter)}: hidden or a system's own, passed over", "remove them")]


def _licence(one: ImageFolder, base: Path) -> list[Verdict]:
    """Whether a file in the folder, or above it as far as the assignment's folder, says who may use the images."""
    folders = [one.folder, *(parent for parent in one.folder.parents if parent.is_relative_to(base))]
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if _LICENCE.match(path.name) and path.is_file():
                return [fine(one.place, f"{below(path, base)} may say where the images come from")]
    what = "no LICENSE or README beside the images says whose they are, and whether students may have them"
    return [doubt(one.place, what, f"write it into {below(one.folder / 'README.md', base)}")]


def _entries(folder: Path) -> Iterator[Path]:
    """Everything below the folder, in order; links are named, and not followed."""
    for parent, folders, names in os.walk(folder):
        yield from (Path(parent, name) for name in sorted((*folders, *names)))
        folders[:] = sorted(name for name in folders if not is_litter(name))
