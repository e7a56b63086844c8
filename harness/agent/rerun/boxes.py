"""Rebuilds VOC and COCO annotations from the boxes that were read, without other fields."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ..dataset import coco, voc
from ..dataset.image import Box, DatasetImage, Layout
from ..dataset.placed import placed
from ..dataset.walk import Tree
from .pixels import Frame
from .plan import Kept, Plan

_MOST_BOXES = 100  # of one image
_LONGEST_NAME = 80  # characters of a class
_LARGEST_ID = 1000  # of a category; COCO's own go to 90


def voc_files(files: Tree, plan: Plan) -> Iterator[tuple[Path, PurePosixPath, str]]:
    """(file, path of its replacement, its XML) for the first annotation of each image; others are left out."""
    kept = {one.image.file: one for one in plan.kept}
    found, _ = voc.xml_files(files)
    for annotation in found:
        one = kept.pop(annotation.image, None) if annotation.image else None
        if one is not None:
            own = PurePosixPath(annotation.file.relative_to(plan.root).as_posix())
            beside = annotation.file.parent == one.image.file.parent
            elsewhere = PurePosixPath("Annotations") if plan.names_replaced else own.parent
            folder = one.path.parent if beside else elsewhere
            drawn = DatasetImage(one.image.file, None, "", annotation.boxes, annotation.stated_size)
            yield annotation.file, folder / f"{one.path.stem}.xml", _voc(one, _upright(drawn, "voc"))


def _voc(one: Kept, boxes: tuple[Box, ...]) -> str:
    root = ElementTree.Element("annotation")
    _put(root, "folder", one.path.parent.name)
    _put(root, "filename", one.path.name)
    size = ElementTree.SubElement(root, "size")
    for side, pixels in (("width", one.frame.width), ("height", one.frame.height), ("depth", 3)):
        _put(size, side, pixels)
    _put(root, "segmented", 0)
    for box, sides in moved(one.frame, boxes):
        item = ElementTree.SubElement(root, "object")
        for tag, value in (
            ("name", box.label),
            ("pose", "Unspecified"),
            ("truncated", 0),
            ("difficult", int(box.ignored)),
        ):
            _put(item, tag, value)
        place = ElementTree.SubElement(item, "bndbox")
        within = (one.frame.width, one.frame.height) * 2
        for tag, position, last in zip(("xmin", "ymin", "xmax", "ymax"), sides, within, strict=True):
            _put(place, tag, min(position + 1, last))  # VOC counts pixels from 1
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _upright(image: DatasetImage, layout: Layout) -> tuple[Box, ...]:
    """The image's boxes in pixels of the upright image, counted from 0."""
    found = placed(image, layout)
    if found is None:
        return ()
    width, height = found.width, found.height
    return tuple(
        Box(one.label, one.left * width, one.top * height, one.right * width, one.bottom * height, one.ignored)
        for one in found.boxes
    )


def _put(parent: ElementTree.Element, name: str, value: object) -> None:
    ElementTree.SubElement(parent, name).text = "".join(c for c in str(value) if c.isprintable())


def moved(frame: Frame, boxes: tuple[Box, ...]) -> Iterator[tuple[Box, tuple[int, int, int, int]]]:
    """Each valid box, with its sides in the new image in whole pixels."""
    for box in boxes[:_MOST_BOXES]:
        if len(box.label) <= _LONGEST_NAME and all(map(math.isfinite, (box.left, box.top, box.right, box.bottom))):
            sides = (frame.x(box.left), frame.y(box.top), frame.x(box.right), frame.y(box.bottom))
            yield box, (round(sides[0]), round(sides[1]), round(sides[2]), round(sides[3]))


def coco_files(files: Tree, plan: Plan) -> Iterator[tuple[Path, str]]:
    """(file, the JSON of its replacement), with images and annotations renumbered."""
    kept = {one.image.file: one for one in plan.kept}
    for document in coco.documents(files):
        named = {image.file: (name, image) for name, image in document.images if image is not None}
        mine = [(one, *named[file]) for file, one in kept.items() if file in named]
        if mine:
            yield document.file, _coco(document, mine)


def _coco(document: coco.Document, mine: list[tuple[Kept, str, DatasetImage]]) -> str:
    categories = _categories(document)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (one, written, image) in enumerate(mine, 1):
        depth = len([part for part in re.split(r"[/\\]+", written) if part not in ("", ".")])
        name = PurePosixPath(*one.path.parts[-depth:]).as_posix()
        images.append({"id": number, "file_name": name, "width": one.frame.width, "height": one.frame.height})
        for box, (left, top, right, bottom) in moved(one.frame, _upright(image, "coco")):
            if box.label in categories:
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number,
                        "category_id": categories[box.label],
                        "bbox": [left, top, right - left, bottom - top],
                        "area": (right - left) * (bottom - top),
                        "iscrowd": int(box.ignored),
                    }
                )
    kinds = [{"id": value, "name": name, "supercategory": ""} for name, value in categories.items()]
    whole = {"info": {}, "licenses": [], "images": images, "annotations": annotations, "categories": kinds}
    return json.dumps(whole)


def _categories(document: coco.Document) -> dict[str, int]:
    """Name -> id: the file's own ids where they are small numbers, else indices."""
    named = {name: own for own, name in reversed(document.categories) if name and len(name) <= _LONGEST_NAME}
    own = list(named.values())
    usual = all(type(value) is int and 0 <= value <= _LARGEST_ID for value in own) and len(set(own)) == len(own)
    ordered = dict(sorted(named.items(), key=lambda item: item[1])) if usual else named
    return {name: int(value) if usual else place for place, (name, value) in enumerate(ordered.items(), 1)}
