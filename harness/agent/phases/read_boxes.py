"""The phase `read_boxes`: reads a data set with boxes, and sends what is on each image.

/in/dataset holds it, in a layout that `dataset` reads. Sent: `boxes.json`, and `images-0.json` and those that follow
with a row for each image file. A row's boxes are `[class, left, top, right, bottom, ignored]`: the class as an index
of `classes` in boxes.json, the corners as shares of the upright image's sides. Images are not decoded; of each only
the head is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..dataset import DatasetImage, Reading, Unreadable, read
from ..dataset.boxes import faults
from ..dataset.placed import Placed, placed
from ..dataset.walk import tree
from ..paths import IN
from .reply_parts import in_parts

_MOST_IMAGES = 5000
_MOST_PARTS = 50  # some 280,000 boxes
_MOST_CLASSES = 500
_MOST_FAULTS = 100
_LONGEST_NAME = 1000  # characters of a path
_DIGITS = 7  # of a share: a hundredth of a pixel in 100,000

Send = Callable[[str, Path | bytes], None]


def run(request: dict[str, Any], send: Send) -> None:
    """Read the data set and send what is in it; `boxes.json` says if it cannot be read, or holds too much."""
    try:
        files = tree(IN / "dataset")
        reading = read(files)
        images = reading.images[:_MOST_IMAGES]
        classes = _classes(images)
        parts = in_parts([json.dumps(_row(image, reading, classes, files.root)) for image in images])
        if len(parts) > _MOST_PARTS:
            raise Unreadable("it has too many boxes")
    except Unreadable as error:
        send("boxes.json", json.dumps({"refused": str(error)[:1000]}).encode())
        return
    for number, part in enumerate(parts):
        send(f"images-{number}.json", f'{{"images": [{", ".join(part)}]}}'.encode())
    said = {
        "layout": reading.layout,
        "classes": [_text(name) for name in classes],
        "labels": None if reading.labels is None else [_text(name) for name in reading.labels[:_MOST_CLASSES]],
        "parts": len(parts),
        "left_out": len(reading.images) - len(images),
        "in_several": reading.in_several,
        "faults": [_text(fault) for fault in reading.faults[:_MOST_FAULTS]],
    }
    send("boxes.json", json.dumps(said).encode())


def _classes(images: tuple[DatasetImage, ...]) -> dict[str, int]:
    """Class -> its index. Raises `Unreadable` for more than 500."""
    names = sorted({box.label for image in images for box in image.boxes})
    if len(names) > _MOST_CLASSES:
        raise Unreadable(f"its boxes have more than {_MOST_CLASSES} classes")
    return {name: index for index, name in enumerate(names)}


def _row(image: DatasetImage, reading: Reading, classes: dict[str, int], root: Path) -> dict[str, Any]:
    """What is said of one image file; `seen` is None for one whose head cannot be read."""
    found = placed(image, reading.layout)
    size = None if found is None else (found.width, found.height)
    return {
        "name": _text(str(image.file.relative_to(root)), _LONGEST_NAME),
        "split": image.split,
        "box_faults": [
            [kind, _text(label)] for kind, label in faults(image, size, reading.labels)[:_MOST_FAULTS] if size
        ],
        "seen": None if found is None else _seen(found, classes),
    }


def _seen(image: Placed, classes: dict[str, int]) -> dict[str, Any]:
    return {
        "width": image.width,
        "height": image.height,
        "boxes": [
            [classes[box.label], *_shares(box.left, box.top, box.right, box.bottom), box.ignored] for box in image.boxes
        ],
        "left_out": image.left_out,
    }


def _shares(*sides: float) -> list[float]:
    return [round(side, _DIGITS) for side in sides]


def _text(name: str, longest: int = 200) -> str:
    """A name in the data set as text that JSON can hold."""
    return name.encode("utf-8", "replace").decode()[:longest]
