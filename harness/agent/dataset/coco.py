"""COCO: one JSON file, or one for each split, with `images`, `annotations` and `categories`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .encodings import text_of
from .image import Box, DatasetImage, Reading, Split, main_label, split_named
from .labels import listed
from .walk import Tree

_MOST_BYTES = 64 * 2**20  # of one JSON file
_MOST_FAULTS = 100
_RECTANGLE = 8  # numbers in the polygon of a box
_MOST_POINTS = 10_000  # numbers of one object's polygons


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON file: its categories (id and name), and each image that it names, None if missing, with its boxes.

    `outlines`: how many objects are polygons or masks.
    """

    file: Path
    categories: tuple[tuple[int | str, str], ...]
    images: tuple[tuple[str, DatasetImage | None], ...]
    outlines: int


def read(files: Tree) -> Reading | None:
    """Read COCO annotations; None when no JSON file has this form. Images that no file names have no class."""
    known: dict[Path, DatasetImage] = {}
    faults: list[str] = []
    found = documents(files)
    if not found:
        return None
    for document in found:
        split = _split(document.file)
        for name, one in document.images:
            if one is None:
                faults.append(f"{document.file.name}: there is no image {name[:200]!r}")
                continue
            place = split or _split(one.file.parent)
            known[one.file] = DatasetImage(one.file, main_label(one.boxes), place, one.boxes, one.stated_size)
    images = tuple(
        known.get(file) or DatasetImage(file, None, _split(file.parent), annotated=False) for file in files.images()
    )
    outlines = sum(document.outlines for document in found)
    return Reading("coco", images, tuple(faults[:_MOST_FAULTS]), listed(files), outlines=outlines)


def documents(files: Tree) -> list[Document]:
    """Every JSON file in COCO's form."""
    names = by_name(files)
    found = []
    for file in files.ending(".json"):
        if (document := _document(file)) is None:
            continue
        categories = {entry["id"]: _text(entry.get("name")) for entry in _objects(document["categories"])}
        boxes = _boxes(document, categories)
        images: list[tuple[str, DatasetImage | None]] = []
        for image in _objects(document["images"]):
            name = _text(image.get("file_name"))
            place = found_image(name, names)
            mine = tuple(boxes.get(image["id"], ()))
            there = None if place is None else DatasetImage(place, main_label(mine), "", mine, _size(image))
            images.append((name, there))
        outlines = sum(isinstance(entry, dict) and _is_outline(entry) for entry in document["annotations"])
        found.append(Document(file, tuple(categories.items()), tuple(images), outlines))
    return found


def _document(file: Path) -> dict[str, Any] | None:
    if file.stat().st_size > _MOST_BYTES:
        return None
    try:
        document = json.loads(text_of(file.read_bytes()))
    except (ValueError, RecursionError):
        return None
    parts = ("images", "annotations", "categories")
    is_one = isinstance(document, dict) and all(isinstance(document.get(part), list) for part in parts)
    return document if is_one else None


def _objects(entries: list[Any]) -> Iterator[dict[str, Any]]:
    """The entries that are objects with a hashable id."""
    return (entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), int | str))


def _boxes(document: dict[str, Any], classes: dict[Any, str]) -> dict[Any, list[Box]]:
    """Image id -> boxes, with [x, y, width, height] as corners; a value that is not a number becomes NaN.

    An object without `bbox` has the box around its polygons.
    """
    found: dict[Any, list[Box]] = {}
    for entry in document["annotations"]:
        if not isinstance(entry, dict) or not isinstance(entry.get("image_id"), int | str):
            continue
        sides = entry.get("bbox")
        if not isinstance(sides, list) or len(sides) != 4:
            sides = _around(entry.get("segmentation"))
        x, y, width, height = (_number(side) for side in sides)
        category = entry.get("category_id")
        label = classes.get(category, "") if isinstance(category, int | str) else ""
        found.setdefault(entry["image_id"], []).append(
            Box(label, x, y, x + width, y + height, entry.get("iscrowd") == 1)
        )
    return found


def _is_outline(entry: dict[str, Any]) -> bool:
    """Whether the object is a mask, or polygons of more than the four corners of a box."""
    drawn = entry.get("segmentation")
    if isinstance(drawn, list):
        return sum(len(one) for one in drawn if isinstance(one, list)) > _RECTANGLE
    return isinstance(drawn, dict)


def _around(polygons: object) -> list[float]:
    """[x, y, width, height] of the box around polygons, each a list of x, y, x, y, ...; NaN for anything else."""
    numbers: list[float] = []
    for polygon in polygons if isinstance(polygons, list) else []:
        if not isinstance(polygon, list) or len(polygon) % 2 or len(numbers) + len(polygon) > _MOST_POINTS:
            return [math.nan] * 4
        numbers += map(_number, polygon)
    if not numbers or not all(map(math.isfinite, numbers)):
        return [math.nan] * 4
    across, down = numbers[::2], numbers[1::2]
    return [min(across), min(down), max(across) - min(across), max(down) - min(down)]


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else math.nan


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _size(image: dict[str, Any]) -> tuple[int, int] | None:
    sides = [_number(image.get(side)) for side in ("width", "height")]
    return (int(sides[0]), int(sides[1])) if all(0 < side < 10**6 for side in sides) else None


def by_name(files: Tree) -> dict[str, list[Path]]:
    """The images by their file's name in small letters."""
    found: dict[str, list[Path]] = {}
    for file in files.images():
        found.setdefault(file.name.lower(), []).append(file)
    return found


def found_image(name: str, names: Mapping[str, list[Path]]) -> Path | None:
    """The image whose path ends like `name`; a name never leads out of the data set."""
    parts = [part.lower() for part in re.split(r"[/\\]", name) if part not in ("", ".")]
    if not parts:
        return None
    candidates = names.get(parts[-1], [])
    ending = [file for file in candidates if [p.lower() for p in file.parts[-len(parts) :]] == parts]
    return next(iter(ending or candidates), None)


def _split(place: Path) -> Split:
    """`instances_train2017.json`, `train/_annotations.coco.json` and the like."""
    words = [*re.split(r"[^a-z]+", place.stem.lower()), place.parent.name, place.name]
    return next((split for word in words if (split := split_named(word))), "")
