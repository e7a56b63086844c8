"""COCO: one JSON file, or one for each split, with `images`, `annotations` and `categories`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..phases.error_text import one_sentence
from .encodings import text_of
from .image import Box, DatasetImage, Reading, Split, main_label, split_named
from .labels import listed
from .outlines import box_around, number
from .walk import Tree, folded

_MOST_BYTES = 64 * 2**20  # of one JSON file
_MOST_FAULTS = 100
_RECTANGLE = 8  # numbers in the polygon of a box
_PARTS = ("images", "annotations", "categories")


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON file: its categories (id and name), and each image that it names, None if missing, with its boxes.

    An image that it names several times, `a.jpg` and `./a.jpg`, stands once, with the boxes of all.

    `outlines`: how many objects are polygons or masks. `astray`: how many belong to no image that it lists.
    """

    file: Path
    categories: tuple[tuple[int | str, str], ...]
    images: tuple[tuple[str, DatasetImage | None], ...]
    outlines: int
    astray: int


def read(files: Tree) -> Reading | None:
    """Read COCO annotations; None when no JSON file has this form. Images that no file names have no class."""
    known: dict[Path, DatasetImage] = {}
    faults: list[str] = []
    found = documents(files)
    if not found:
        return None
    for document in found:
        split = _split(document.file)
        if document.astray:
            faults.append(f"{document.file.name}: {document.astray:,} objects belong to no image that it lists")
        before = set(known)
        for name, one in document.images:
            if one is None:
                faults.append(f"{document.file.name}: there is no image {name[:200]!r}")
                continue
            if one.file in before:
                faults.append(f"{document.file.name}: {listed_twice(name)}")
            place = split or _split(one.file.parent)
            known[one.file] = DatasetImage(one.file, main_label(one.boxes), place, one.boxes, one.stated_size)
    images = tuple(
        known.get(file) or DatasetImage(file, None, _split(file.parent), annotated=False) for file in files.images()
    )
    outlines = sum(document.outlines for document in found)
    return Reading("coco", images, tuple(faults[:_MOST_FAULTS]), listed(files), outlines=outlines)


def listed_twice(name: str) -> str:
    """What is wrong where a second file lists an image."""
    return f"another file lists {name[:200]!r}, too; its boxes are not used"


def unread(files: Tree) -> list[str]:
    """Why the JSON files that look like COCO's are none."""
    return [f"{file.name}: {why}" for file in files.ending(".json") if (why := _document(file)[1])]


def documents(files: Tree) -> list[Document]:
    """Every JSON file in COCO's form."""
    names = by_name(files)
    found = []
    for file in files.ending(".json"):
        if (document := _document(file)[0]) is None:
            continue
        categories = {entry["id"]: _text(entry.get("name")) for entry in _objects(document["categories"])}
        boxes, listed_images = _boxes(document, {_id(key): name for key, name in categories.items()}), set[str]()
        images: dict[Path | str, tuple[str, DatasetImage | None]] = {}
        joined = set[tuple[Path | str, str]]()
        for image in _objects(document["images"]):
            name, key = _text(image.get("file_name")), _id(image["id"])
            place = found_image(name, names)
            there = place or name
            earlier = images.get(there, (name, None))[1]
            mine = () if (there, key) in joined else boxes.get(key, ())
            images[there] = (name, _image(place, (*(earlier.boxes if earlier else ()), *mine), _size(image)))
            joined.add((there, key))
            listed_images.add(key)
        outlines = sum(isinstance(entry, dict) and _is_outline(entry) for entry in document["annotations"])
        astray = sum(len(mine) for key, mine in boxes.items() if key not in listed_images)
        found.append(Document(file, tuple(categories.items()), tuple(images.values()), outlines, astray))
    return found


def _image(file: Path | None, boxes: tuple[Box, ...], size: tuple[int, int] | None) -> DatasetImage | None:
    return None if file is None else DatasetImage(file, main_label(boxes), "", boxes, size)


def _document(file: Path) -> tuple[dict[str, Any] | None, str]:
    """What a JSON file holds; or None, and why it cannot be used if it looks like COCO's, else an empty text."""
    if file.stat().st_size > _MOST_BYTES:
        return None, f"it is larger than {_MOST_BYTES >> 20} MiB"
    content = file.read_bytes()
    try:
        document = json.loads(text_of(content))
    except (ValueError, RecursionError) as error:
        looks_alike = any(f'"{part}"'.encode() in content for part in _PARTS[1:])
        return None, f"it is not JSON: {one_sentence(str(error))}" if looks_alike else ""
    if not isinstance(document, dict) or not isinstance(document.get("annotations"), list):
        return None, ""
    lacking = [part for part in _PARTS if not isinstance(document.get(part), list)]
    return (None, f"it has no list {lacking[0]!r}") if lacking else (document, "")


def _objects(entries: list[Any]) -> Iterator[dict[str, Any]]:
    """The entries that are objects with an id."""
    return (entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), int | float | str))


def _id(value: object) -> str:
    """An id as it is compared: tools write 1, 1.0 and "1" for the same."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _boxes(document: dict[str, Any], classes: Mapping[str, str]) -> dict[str, tuple[Box, ...]]:
    """Image id -> boxes, with [x, y, width, height] as corners; a value that is not a number becomes NaN.

    An object without `bbox` has the box around its polygons or its mask.
    """
    found: dict[str, list[Box]] = {}
    for entry in document["annotations"]:
        if not isinstance(entry, dict):
            continue
        sides = entry.get("bbox")
        if not isinstance(sides, list) or len(sides) != 4:
            sides = box_around(entry.get("segmentation"))
        x, y, width, height = (number(side) for side in sides)
        label = classes.get(_id(entry.get("category_id")), "")
        found.setdefault(_id(entry.get("image_id")), []).append(
            Box(label, x, y, x + width, y + height, entry.get("iscrowd") == 1)
        )
    return {key: tuple(mine) for key, mine in found.items()}


def _is_outline(entry: dict[str, Any]) -> bool:
    """Whether the object is a mask, or polygons of more than the four corners of a box."""
    drawn = entry.get("segmentation")
    if isinstance(drawn, list):
        return sum(len(one) for one in drawn if isinstance(one, list)) > _RECTANGLE
    return isinstance(drawn, dict)


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _size(image: dict[str, Any]) -> tuple[int, int] | None:
    sides = [number(image.get(side)) for side in ("width", "height")]
    return (int(sides[0]), int(sides[1])) if all(0 < side < 10**6 for side in sides) else None


def by_name(files: Tree) -> dict[str, list[Path]]:
    """The images by their file's name in small letters."""
    found: dict[str, list[Path]] = {}
    for file in files.images():
        found.setdefault(folded(file.name), []).append(file)
    return found


def found_image(name: str, names: Mapping[str, list[Path]]) -> Path | None:
    """The image whose path ends like `name`; a name never leads out of the data set."""
    parts = [folded(part) for part in re.split(r"[/\\]", name) if part not in ("", ".")]
    if not parts:
        return None
    candidates = names.get(parts[-1], [])
    ending = [file for file in candidates if [folded(p) for p in file.parts[-len(parts) :]] == parts]
    return next(iter(ending or candidates), None)


def _split(place: Path) -> Split:
    """`instances_train2017.json`, `train/_annotations.coco.json` and the like."""
    words = [*re.split(r"[^a-z]+", place.stem.lower()), place.parent.name, place.name]
    return next((split for word in words if (split := split_named(word))), "")
