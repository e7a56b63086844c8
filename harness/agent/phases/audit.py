"""The phase `audit`: a student's data set is read, and each picture described in numbers.

The request holds `embed_seconds`; /in/backbone, when it is mounted, holds MobileNetV2's weights. Sent:
`audit.json`; `greys.npy` (uint8, readable pictures by 128 by 128); `thumbnails.npy` (uint8, readable pictures by
THUMBNAIL by THUMBNAIL by 3, on grey); and `embeddings.npy` (float32, readable pictures
by 1280) where the weights are there and the time sufficed. Arrays are in the order of the readable pictures.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..dataset import Reading, Unreadable, open_tree, read
from ..dataset.boxes import faults
from ..dataset.describing import THUMBNAIL, Described, described
from ..dataset.embedding import embedded
from ..dataset.picture import Picture
from ..paths import IN, WORK

_MOST_PICTURES = 5000  # the arrays that are sent are some 70 KB for each
_PICTURES_BYTES = 800_000  # of one file of the reply: more than 1 MiB is not read outside
_PICTURES = 1_000  # in one file of the reply

Send = Callable[[str, Path | bytes], None]


def run(request: dict[str, Any], send: Send) -> None:
    """Read the data set and send what it holds; a data set that cannot be opened is said in `audit.json`."""
    try:
        files = open_tree(IN / "dataset", WORK)
        reading = read(files)
    except Unreadable as error:
        send("audit.json", json.dumps({"refused": str(error)[:1000]}).encode())
        return
    pictures = reading.pictures[:_MOST_PICTURES]
    seen = [described(picture.file) for picture in pictures]
    _send_arrays([picture.file for picture, one in zip(pictures, seen, strict=True) if one], seen, request, send)
    rows = [_row(picture, one, files.root, reading.labels) for picture, one in zip(pictures, seen, strict=True)]
    parts = _in_parts([json.dumps(row) for row in rows])
    for number, part in enumerate(parts):
        send(f"pictures-{number}.json", f'{{"pictures": [{", ".join(part)}]}}'.encode())
    send("audit.json", json.dumps(_reply(reading, len(rows), len(parts), files.links)).encode())


def _in_parts(rows: list[str]) -> list[list[str]]:
    """The rows, in their order, as many together as one file of the reply may hold."""
    parts: list[list[str]] = []
    taken = 0
    for row in rows:
        if not parts or len(parts[-1]) == _PICTURES or taken + len(row) > _PICTURES_BYTES:
            parts.append([])
            taken = 0
        parts[-1].append(row)
        taken += len(row) + 2
    return parts


def _reply(reading: Reading, read_pictures: int, parts: int, links: int) -> dict[str, Any]:
    return {
        "layout": reading.layout,
        "parts": parts,
        "left_out": len(reading.pictures) - read_pictures,
        "links": links,
        "faults": [_text(fault) for fault in reading.faults],
    }


def _row(picture: Picture, seen: Described | None, root: Path, labels: tuple[str, ...] | None) -> dict[str, Any]:
    return {
        "name": _text(str(picture.file.relative_to(root))),
        "label": None if picture.label is None else _text(picture.label),
        "split": picture.split,
        "shows_one_class": picture.shows_one_class,
        "box_faults": [[kind, _text(label)] for kind, label in faults(picture, seen.size if seen else None, labels)],
        "seen": seen.values() if seen else None,
    }


def _text(name: str) -> str:
    """A name of a student's as text that JSON can carry."""
    return name.encode("utf-8", "replace").decode()[:200]


def _send_arrays(files: list[Path], seen: list[Described | None], request: dict[str, Any], send: Send) -> None:
    greys = [one.grey for one in seen if one]
    send("greys.npy", _npy(np.stack(greys) if greys else np.zeros((0, 128, 128), np.uint8)))
    thumbnails = [one.thumbnail for one in seen if one]
    shape = (0, THUMBNAIL, THUMBNAIL, 3)
    send("thumbnails.npy", _npy(np.stack(thumbnails) if thumbnails else np.zeros(shape, np.uint8)))
    if files and (IN / "backbone").is_file():
        features = embedded(files, IN / "backbone", request["embed_seconds"])
        if features is not None:
            send("embeddings.npy", _npy(features))


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()
