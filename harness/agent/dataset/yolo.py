"""YOLO: a text file for each image, with a line for each object.

A line holds the index of the class, then the centre and the size of the box, or the corners of a polygon, as shares of
the sides of the upright image. The file lies beside the image, or in `labels/` where the image lies in `images/`, as
Ultralytics, Roboflow and CVAT write them. The names of the classes stand in a YAML file or in a list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .encodings import LISTS, text_of
from .image import Box, DatasetImage, Reading, Split, main_label, split_named
from .labels import listed
from .sizes import upright_size
from .walk import Tree, folded

_MOST_BYTES = 2**20  # of one text file
_MOST_YAML = 64 * 1024
_DEEPEST = 8  # lists in lists; PyYAML takes 46 s of processor time for 30,000
_MOST_OBJECTS = 1000  # of one image
_MOST_WORDS = 6  # of a box's line: a class, four sides and a confidence
_MOST_FAULTS = 100
_MOST_NAMES = 1000
_INDEX = re.compile(r"(\d{1,4})(?:\.0+)?")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One text file, and the image that it belongs to. `indices` has the class of each box as a number.

    `outlines`: how many of the objects are polygons.
    """

    file: Path
    image: Path
    indices: tuple[int, ...]
    boxes: tuple[Box, ...]
    outlines: int


@dataclass(frozen=True, slots=True)
class Names:
    """The classes in the order of their indices, and the YAML file that says so, if one does."""

    of: tuple[str, ...]
    file: Path | None
    folders: dict[str, str]  # `train`, `val` and `test`: what the YAML file says of where they lie

    def label(self, index: int) -> str:
        """The class with this index; the number itself where it has no name."""
        return self.of[index] if index < len(self.of) and self.of[index] else str(index)


class _Texts:
    """The text files by where an image's annotation may lie, `wanted`, regardless of case where no other is meant."""

    def __init__(self, files: Sequence[Path], wanted: Sequence[Path]) -> None:
        self._files = frozenset(files)
        others = self._files - frozenset(wanted)
        self._folded = {folded(str(file)): file for file in files if file in others}

    def at(self, place: Path) -> Path | None:
        return place if place in self._files else self._folded.get(folded(str(place)))


def read(files: Tree) -> Reading | None:
    """Read YOLO annotations; None when no text file beside an image is one. Images without one have no class."""
    known = names(files)
    found, faults = text_files(files, known)
    if not any(one.boxes for one in found):
        return None
    by_image = {one.image: one for one in found}
    listed_splits = _listed(files)
    images = []
    for file in files.images():
        boxes = by_image[file].boxes if file in by_image else ()
        split = _split(file, files.root, listed_splits)
        images.append(DatasetImage(file, main_label(boxes), split, boxes, annotated=file in by_image))
    outlines = sum(one.outlines for one in found)
    return Reading("yolo", tuple(images), tuple(faults[:_MOST_FAULTS]), known.of or listed(files), outlines=outlines)


def unread(files: Tree) -> list[str]:
    """The text files that lie where annotations do, in `labels/`, and hold no object."""
    return [
        f"{file.name}: no line of it is an object: a class's number, then four shares of the image's sides"
        for file in files.ending(".txt")
        if _is_below_labels(file, files.root) and (lines := _lines(file)) and not any(map(_object, lines))
    ]


def text_files(files: Tree, known: Names) -> tuple[list[Annotation], list[str]]:
    """Every text file that lies where an image's annotation does and has its form; and what cannot be read in them."""
    places_of = {image: _places(image, files.root) for image in files.images()}
    written = files.ending(".txt")
    texts = _Texts(written, [place for places in places_of.values() for place in places])
    found: list[Annotation] = []
    faults: list[str] = []
    taken = set[Path]()
    for image, places in places_of.items():
        file = next(filter(None, map(texts.at, places)), None)
        if file is None:
            continue
        taken.add(file)
        lines = _lines(file)
        objects = [_object(words) for words in lines[:_MOST_OBJECTS]]
        if objects and not any(objects):
            continue  # some other text
        faults += [f"{file.name}: line {row} is no object" for row, one in enumerate(objects, 1) if one is None]
        if len(lines) > _MOST_OBJECTS:
            faults.append(f"{file.name}: it has more than {_MOST_OBJECTS:,} objects; the first ones count")
        usable = [one for one in objects if one is not None]
        if known.of and (beyond := next((index for index, _ in usable if index >= len(known.of)), None)) is not None:
            faults.append(f"{file.name}: it has a class {beyond}, and only 0 to {len(known.of) - 1} have names")
        width, height = upright_size(image) or (math.nan, math.nan)
        boxes = (Box(known.label(i), x * width, y * height, r * width, b * height) for i, (x, y, r, b) in usable)
        outlines = sum(len(words) > _MOST_WORDS for words, one in zip(lines, objects, strict=False) if one)
        found.append(Annotation(file, image, tuple(index for index, _ in usable), tuple(boxes), outlines))
    lost = (file for file in written if file not in taken and _is_below_labels(file, files.root))
    faults += [f"{file.name}: there is no image of this name" for file in lost if any(map(_object, _lines(file)))]
    return found, faults + unread(files)


def _lines(file: Path) -> list[list[str]]:
    """The words of each line that has some, of the first MiB."""
    with file.open("rb") as stream:
        text = text_of(stream.read(_MOST_BYTES))
    return [words for line in text.splitlines() if (words := line.split())]


def _is_below_labels(file: Path, root: Path) -> bool:
    parts = file.relative_to(root).parts[:-1]
    return any(part.lower() == "labels" for part in parts) and file.name.lower() not in LISTS


def names(files: Tree) -> Names:
    """The classes, of the YAML file nearest to the top that names some, else of a list."""
    for file in sorted(files.ending(".yaml", ".yml"), key=lambda one: len(one.parts)):
        said = _mapping(file)
        if found := _class_names(said.get("names")):
            folders = {part: said[part] for part in ("train", "val", "test") if isinstance(said.get(part), str)}
            return Names(found, file, folders)
    for file in sorted(files.files, key=lambda one: len(one.parts)):
        if file.name.lower() in LISTS and file.stat().st_size <= _MOST_YAML:
            lines = [" ".join(line.split()) for line in text_of(file.read_bytes()).splitlines()]
            return Names(tuple(line for line in lines if line)[:_MOST_NAMES], None, {})
    return Names((), None, {})


def _mapping(file: Path) -> dict[str, Any]:
    """The top of a YAML file; empty for one that is none, refers to itself, or is nested deeply."""
    import yaml

    if file.stat().st_size > _MOST_YAML:
        return {}
    text = text_of(file.read_bytes())
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or depth > _DEEPEST:
                return {}
        said = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: a date that is none
        return {}
    return {str(key): value for key, value in said.items()} if isinstance(said, dict) else {}


def _class_names(said: object) -> tuple[str, ...]:
    """`names` as a list, or as index -> name."""
    if isinstance(said, dict):
        numbers = ((int(key), value) for key, value in said.items() if re.fullmatch(r"\d{1,4}", str(key)))
        numbered = {index: value for index, value in numbers if index < _MOST_NAMES}
        said = [numbered.get(index, "") for index in range(max(numbered, default=-1) + 1)]
    if not isinstance(said, list):
        return ()
    return tuple(" ".join(str(one).split()) for one in said[:_MOST_NAMES] if isinstance(one, str | int))


def _object(words: Sequence[str]) -> tuple[int, tuple[float, float, float, float]] | None:
    """The class and the box (left, top, right, bottom, as shares) in a line; None for any other line.

    Six numbers are a box with its confidence, as a detector writes them.
    """
    index = _INDEX.fullmatch(words[0])
    if index is None or len(words) < 5:
        return None
    try:
        numbers = [float(word) for word in words[1:]]
    except ValueError:
        return None
    if len(numbers) in (4, 5):
        x, y, width, height = numbers[:4]
        return int(index[1]), (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    if len(numbers) % 2 or not all(map(math.isfinite, numbers)):
        return None
    across, down = numbers[::2], numbers[1::2]
    return int(index[1]), (min(across), min(down), max(across), max(down))


def _places(image: Path, root: Path) -> list[Path]:
    """Where the annotation of an image may lie: below `labels` instead of `images`, or beside it."""
    parts = list(image.relative_to(root).parts)
    places = [image.with_suffix(".txt")]
    for at in reversed(range(len(parts) - 1)):
        if parts[at].lower() == "images":
            places.insert(0, root.joinpath(*parts[:at], "labels", *parts[at + 1 :]).with_suffix(".txt"))
            break
    return places


def _listed(files: Tree) -> dict[str, Split]:
    """Image's stem -> split, of Darknet's `train.txt` and the like, which hold paths of images."""
    found: dict[str, Split] = {}
    for file in files.ending(".txt"):
        split = split_named(file.stem)
        if split and file.stat().st_size <= _MOST_BYTES:
            for line in text_of(file.read_bytes()).splitlines():
                if line.strip():
                    found.setdefault(folded(re.split(r"[/\\]", line.strip())[-1].rsplit(".", 1)[0]), split)
    return found


def _split(image: Path, root: Path, listed_splits: dict[str, Split]) -> Split:
    named = (split_named(part) for part in image.relative_to(root).parts[:-1])
    return next((split for split in named if split), listed_splits.get(folded(image.stem), ""))
