"""What the phase `detect` sends, checked and put in order: its boxes, and what it says of the detector."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from harness.findings import sentence
from harness.stages.context import Rejected, read_array, read_whole_numbers

MOST_OF_AN_IMAGE = 1000  # boxes; COCO's evaluation looks at the 100 surest
MOST_IN_ALL = 1_000_000
_FARTHEST = 100.0  # images' sides, as `harness/agent/detectors/plain_boxes.py` has it
_MOST_LABELS = 10_000

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Side = Annotated[int, Field(ge=1, le=4096)]
_Count = Annotated[int, Field(ge=0, le=MOST_IN_ALL)]
_Faults = Annotated[int, Field(ge=0, le=2**53)]


class _Description(BaseModel):
    model_config = ConfigDict(extra="forbid")

    family: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    width: _Side | None
    height: _Side | None
    fit: Literal["stretch", "letterbox", "as-it-is"]
    colour: Literal["RGB", "BGR"]
    scale: _Finite
    mean: tuple[_Finite, _Finite, _Finite]
    std: tuple[_Finite, _Finite, _Finite]
    suppressed_inside: bool
    background_first: bool
    labels: Annotated[int, Field(ge=1, le=_MOST_LABELS)] | None
    names: tuple[Annotated[str, Field(max_length=200)], ...] = Field(max_length=1000)
    scores: Literal["softmax-inside", "softmax-outside", "as-given"]
    boxes: Literal["corners", "offsets", "centre-size"]
    graph_agrees: bool


class _Counts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    every: _Count
    board: _Count
    again: _Count
    other: _Count


class _FaultCounts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    no_score: _Faults
    no_box: _Faults
    no_class: _Faults
    too_many: _Faults


class DetectionReply(BaseModel):
    """detections.json, as `harness/agent/phases/detect.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    description: _Description
    seconds_per_image: float = Field(ge=0, allow_inf_nan=False)
    boxes: _Counts
    faults: _FaultCounts


@dataclass(frozen=True, slots=True)
class Rows:
    """Boxes of several images; the rows of all arrays belong together."""

    boxes: NDArray[np.float32]  # (rows, 4): left, top, right, bottom as shares of the image's sides
    scores: NDArray[np.float32]  # (rows,), from 0 to 1
    labels: NDArray[np.int32]  # (rows,), from 0
    images: NDArray[np.int32]  # (rows,), ascending

    def of(self, image: int) -> Rows:
        """The rows of one image."""
        mine = self.images == image
        return Rows(self.boxes[mine], self.scores[mine], self.labels[mine], self.images[mine])


def most_of_an_image(images: int) -> int:
    """How many boxes of an image may come back, of so many images."""
    return max(1, min(MOST_OF_AN_IMAGE, MOST_IN_ALL // max(1, images)))


def read_rows(outputs: Path, name: str, count: int, at: NDArray[np.int32], most: int | None = None) -> Rows:
    """The set `name` of boxes that the phase sent, put in order.

    `count`: how many it says that there are. `at`: for each image that it was asked about, in its order, the position
    to put in place of its number. `most`: boxes of an image, `most_of_an_image` by default. Raises `Rejected` for
    anything but plain boxes.
    """
    boxes = read_array(outputs, f"{name}-boxes.npy", (count, 4))
    scores = read_array(outputs, f"{name}-scores.npy", (count,))
    labels = read_whole_numbers(outputs, f"{name}-labels.npy", (count,))
    images = read_whole_numbers(outputs, f"{name}-images.npy", (count,))
    if not (np.abs(boxes) <= _FARTHEST).all() or (boxes[:, 2:] < boxes[:, :2]).any():
        raise Rejected(sentence("boxes-no-boxes"))
    if not ((scores >= 0) & (scores <= 1)).all():
        raise Rejected(sentence("boxes-no-scores"))
    if ((labels < 0) | (labels >= _MOST_LABELS)).any():
        raise Rejected(sentence("boxes-no-labels"))
    if ((images < 0) | (images >= len(at))).any():
        raise Rejected(sentence("answers-other-images"))
    most = most or most_of_an_image(len(at))
    if count and np.bincount(images).max() > most:
        raise Rejected(sentence("boxes-too-many", most=most))
    positions = at[images]
    order = np.lexsort((-scores, positions))
    return Rows(boxes[order], scores[order], labels[order], positions[order])
