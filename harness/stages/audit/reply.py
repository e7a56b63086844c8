"""The checked reply of the phase `audit`: a row for each image file, and arrays that describe the readable ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from harness.findings import sentence
from harness.stages.audit.images import GREY, Described, ImageSet, Split
from harness.stages.audit.keypoints import KEYPOINTS, NUMBERS
from harness.stages.context import Rejected, read_array, read_bytes_array, read_reply
from harness.stages.evidence.audit import DrawnObject, Layout
from harness.stages.evidence.record import Share

MOST_IMAGES = 5000  # as harness/agent/phases/audit.py and read_boxes.py send
_MOST_PARTS = 50  # of the reply
_CHANNELS = 1280  # of an embedding
_MOST_OBJECTS = 100  # of one image
_MOST_CLASSES = 1000
R = TypeVar("R")

Name = Annotated[str, Field(max_length=200)]
_Class = Annotated[int, Field(ge=0, lt=_MOST_CLASSES)]
_Flag = Annotated[int, Field(ge=0, le=1)]
BoxFaultKind = Literal["not-a-number", "empty", "outside", "tiny", "doubled", "unlisted", "no-class", "wrong-size"]


class Row(BaseModel):
    """An image file; `seen` is None for one that does not decode."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    label: Name | None
    split: Split
    shows_one_class: bool
    annotated: bool = True
    objects: tuple[tuple[_Class, Share, Share, Share, Share, _Flag], ...] = Field((), max_length=_MOST_OBJECTS)
    objects_left_out: int = Field(0, ge=0, le=10**6)
    box_faults: tuple[tuple[BoxFaultKind, Name], ...] = Field(max_length=100)
    seen: Described | None


class Part(BaseModel):
    """images-0.json and those that follow."""

    model_config = ConfigDict(extra="forbid")

    images: tuple[Row, ...] = Field(max_length=MOST_IMAGES)


class Said(BaseModel):
    """audit.json, as `harness/agent/phases/audit.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    layout: Layout = "class-folders"
    parts: int = Field(0, ge=0, le=_MOST_PARTS)
    left_out: int = Field(0, ge=0)
    odd: int = Field(0, ge=0)
    in_several: int = Field(0, ge=0)
    faults: tuple[Name, ...] = Field((), max_length=100)
    drawn: tuple[Name, ...] = Field((), max_length=_MOST_CLASSES)  # the classes of objects, by their numbers
    listed: tuple[Name, ...] | None = Field(None, max_length=_MOST_CLASSES)  # in labels.txt
    not_plain: tuple[Name, ...] = Field((), max_length=100)  # files that are not UTF-8
    outlines: int = Field(0, ge=0, le=10**9)
    refused: str = Field("", max_length=1000)


class Reply(Said):
    """The complete reply about a data set that could be opened."""

    images: tuple[Row, ...]


def read_images(outputs: Path, parts: int) -> tuple[Row, ...]:
    """The rows of all parts. Raises `Rejected` as `read_reply` does, and for too many rows."""
    return of_all_parts(parts, lambda name: read_reply(outputs, name, Part).images)


def of_all_parts(parts: int, images_of: Callable[[str], Sequence[R]]) -> tuple[R, ...]:
    """What `images_of` reads in images-0.json and those that follow. Raises `Rejected` for too many, whatever they are.

    `harness/agent/phases/reply_parts.py` divides them.
    """
    rows: list[R] = []
    for number in range(parts):
        rows += images_of(f"images-{number}.json")
        if len(rows) > MOST_IMAGES:
            raise Rejected(sentence("too-many-images", most=MOST_IMAGES))
    return tuple(rows)


def objects_of(reply: Reply) -> tuple[tuple[DrawnObject, ...], ...]:
    """The objects of every image. Raises `Rejected` for a class that has no name, and for a box without an area."""
    found = []
    for row in reply.images:
        for number, left, top, right, bottom, _ in row.objects:
            if number >= len(reply.drawn) or not (left < right and top < bottom):
                raise Rejected(sentence("reply-no-object", name=row.name))
        found.append(
            tuple(
                DrawnObject(label=reply.drawn[number], box=(left, top, right, bottom), ignored=bool(ignored))
                for number, left, top, right, bottom, ignored in row.objects
            )
        )
    return tuple(found)


def image_set(reply: Reply, readable: list[int], outputs: Path) -> ImageSet:
    """The images as arrays. Raises `Rejected` for arrays that do not fit the reply."""
    rows = [reply.images[index] for index in readable]
    embeddings: NDArray[np.float32] | None = None
    if (outputs / "embeddings.npy").is_file():
        embeddings = read_array(outputs, "embeddings.npy", (len(rows), _CHANNELS))
        if not np.isfinite(embeddings).all():
            raise Rejected(sentence("array-no-numbers", name="embeddings.npy"))
    keypoints: NDArray[np.uint8] | None = None
    if (outputs / "keypoints.npy").is_file():
        keypoints = read_bytes_array(outputs, "keypoints.npy", (len(rows), 1 + KEYPOINTS, NUMBERS))
    return ImageSet(
        tuple(row.name for row in rows),
        tuple(row.label for row in rows),
        tuple(row.split for row in rows),
        tuple(row.seen for row in rows if row.seen is not None),
        read_bytes_array(outputs, "greys.npy", (len(rows), GREY, GREY)),
        embeddings,
        keypoints,
    )
