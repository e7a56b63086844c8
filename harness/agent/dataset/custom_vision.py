"""Custom Vision: one JSON file with `files`, each with its `filename` and `tags`, as Microsoft's courses give it out.

The sides of a tag, `left`, `top`, `width` and `height`, are shares of the sides of the upright image.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .annotated import with_boxes
from .coco import by_name, found_image, listed_twice
from .encodings import text_of
from .image import Box, Reading
from .labels import listed
from .sizes import upright_size
from .walk import Tree

_MOST_BYTES = 16 * 2**20  # of one JSON file
_MOST_OBJECTS = 1000  # of one image
_MOST_FAULTS = 100
SIDES = ("left", "top", "width", "height")


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON file. `boxes`: of each image that it names, in their order; of one that it names twice, joined.

    `absent`: names of no image.
    """

    file: Path
    boxes: Mapping[Path, tuple[Box, ...]]
    absent: tuple[str, ...]
    cut: int  # objects that are left out


def read(files: Tree) -> Reading | None:
    """Read such files; None when no JSON file has this form. Images that no file names have no class."""
    found = documents(files)
    if not found:
        return None
    boxes: dict[Path, tuple[Box, ...]] = {}
    faults: list[str] = []
    for document in found:
        twice = [image.name for image in document.boxes if image in boxes]
        faults += [f"{document.file.name}: {listed_twice(name)}" for name in twice]
        boxes |= document.boxes
    images = with_boxes(files, boxes)
    faults += [f"{one.file.name}: there is no image {name[:200]!r}" for one in found for name in one.absent]
    faults += [
        f"{one.file.name}: {one.cut:,} objects are left out: an image has more than {_MOST_OBJECTS:,}"
        for one in found
        if one.cut
    ]
    return Reading("custom-vision", images, tuple(faults[:_MOST_FAULTS]), listed(files))


def documents(files: Tree) -> list[Document]:
    """Every JSON file in this form."""
    names = by_name(files)
    return [document for file in files.ending(".json") if (document := _document(file, names)) is not None]


def _document(file: Path, names: Mapping[str, list[Path]]) -> Document | None:
    entries = _entries(file)
    if entries is None:
        return None
    boxes: dict[Path, tuple[Box, ...]] = {}
    absent: dict[str, None] = {}
    cut = 0
    for entry in entries:
        image = found_image(entry["filename"], names)
        if image is None:
            absent.setdefault(entry["filename"])
            continue
        width, height = upright_size(image) or (math.nan, math.nan)
        tags = [tag for tag in entry["tags"] if isinstance(tag, dict)]
        earlier = boxes.get(image, ())
        more = tags[: _MOST_OBJECTS - len(earlier)]
        boxes[image] = (*earlier, *(_box(tag, width, height) for tag in more))
        cut += len(tags) - len(more)
    return Document(file, boxes, tuple(absent), cut)


def _entries(file: Path) -> list[dict[str, Any]] | None:
    """The images that the file names; None where it has another form."""
    if file.stat().st_size > _MOST_BYTES:
        return None
    try:
        document = json.loads(text_of(file.read_bytes()))
    except (ValueError, RecursionError):
        return None
    listed_there = document.get("files") if isinstance(document, dict) else None
    if not isinstance(listed_there, list):
        return None
    entries = [entry for entry in listed_there if isinstance(entry, dict)]
    named = [one for one in entries if isinstance(one.get("filename"), str) and isinstance(one.get("tags"), list)]
    return named or None


def _box(tag: Mapping[str, Any], width: float, height: float) -> Box:
    """The box in pixels; a side that is no number becomes NaN."""
    left, top, across, down = (_number(tag.get(side)) for side in SIDES)
    name = tag.get("tag")
    label = " ".join(name.split()) if isinstance(name, str) else ""
    return Box(label, left * width, top * height, (left + across) * width, (top + down) * height)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else math.nan
