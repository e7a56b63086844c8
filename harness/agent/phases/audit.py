"""The phase `audit`: reads a student's data set and describes each image in numbers.

The request holds `embed_seconds` and `keypoint_seconds`; /in/backbone, when it is mounted, holds MobileNetV2's
weights. Sent: `audit.json`; `greys.npy` (uint8, readable images by 128 by 128); `thumbnails.npy` (uint8, readable
images by THUMBNAIL by THUMBNAIL by 3, on grey); `keypoints.npy` (uint8, readable images by 1 + KEYPOINTS by NUMBERS)
where OpenCV is installed, zeros for images for which the time was not enough; and `embeddings.npy` (float32, readable
images by 1280) where the weights are mounted and the time was enough. Arrays are in the order of the readable images.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dataset import Reading, Unreadable, open_tree, read
from ..dataset.boxes import faults
from ..dataset.describing import THUMBNAIL, Described, described
from ..dataset.embedding import embedded
from ..dataset.encodings import not_plain
from ..dataset.image import DatasetImage
from ..dataset.keypoints import KEYPOINTS, NUMBERS, sift
from ..dataset.objects import Objects
from ..paths import IN, WORK
from .reply_parts import in_parts

_MOST_IMAGES = 5000  # each takes some 90 KB in the arrays that are sent
_MOST_LISTED = 1_000  # classes of labels.txt

Send = Callable[[str, Path | bytes], None]


def run(request: dict[str, Any], send: Send) -> None:
    """Read the data set and send its description; `audit.json` says if it cannot be opened."""
    try:
        files = open_tree(IN / "dataset", WORK)
        reading = read(files)
    except Unreadable as error:
        send("audit.json", json.dumps({"refused": str(error)[:1000]}).encode())
        return
    images = reading.images[:_MOST_IMAGES]
    extractor, deadline = sift(), time.monotonic() + request["keypoint_seconds"]
    seen = [described(image.file, extractor if time.monotonic() < deadline else None) for image in images]
    if extractor is not None:
        send("keypoints.npy", _npy(_keypoints(seen)))
    _send_arrays([image.file for image, one in zip(images, seen, strict=True) if one], seen, request, send)
    objects = Objects(reading.layout)
    rows = [_row(image, one, files.root, reading.labels, objects) for image, one in zip(images, seen, strict=True)]
    parts = in_parts([json.dumps(row) for row in rows])
    for number, part in enumerate(parts):
        send(f"images-{number}.json", f'{{"images": [{", ".join(part)}]}}'.encode())
    reply = _reply(reading, len(rows), len(parts), files.odd)
    reply |= {"drawn": [_text(name) for name in objects.classes], "not_plain": list(map(_text, not_plain(files)))}
    send("audit.json", json.dumps(reply).encode())


def _reply(reading: Reading, read_images: int, parts: int, odd: int) -> dict[str, Any]:
    return {
        "layout": reading.layout,
        "parts": parts,
        "left_out": len(reading.images) - read_images,
        "odd": odd,
        "in_several": reading.in_several,
        "faults": [_text(fault) for fault in reading.faults],
        "listed": None if reading.labels is None else [_text(name) for name in reading.labels[:_MOST_LISTED]],
        "outlines": reading.outlines,
    }


def _row(
    image: DatasetImage, seen: Described | None, root: Path, labels: tuple[str, ...] | None, objects: Objects
) -> dict[str, Any]:
    found, left_out = objects.of(image) if seen else ([], len(image.boxes))
    return {
        "name": _text(str(image.file.relative_to(root))),
        "label": None if image.label is None else _text(image.label),
        "split": image.split,
        "shows_one_class": image.shows_one_class,
        "annotated": image.annotated,
        "objects": found,
        "objects_left_out": left_out,
        "box_faults": [[kind, _text(label)] for kind, label in faults(image, seen.size if seen else None, labels)],
        "seen": seen.values() if seen else None,
    }


def _text(name: str) -> str:
    """A student's file name as text that JSON can hold."""
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


def _keypoints(seen: list[Described | None]) -> NDArray[np.uint8]:
    rows = np.zeros((sum(one is not None for one in seen), 1 + KEYPOINTS, NUMBERS), np.uint8)
    for row, one in zip(rows, (one for one in seen if one), strict=True):
        if one.keypoints is not None:
            row[:] = one.keypoints
    return rows


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()
