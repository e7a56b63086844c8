"""What every detector here is: it takes an image, and gives boxes, with all scores or after its own suppression."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..images.preprocessing import Rule

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Pixels = NDArray[np.uint8]  # (height, width, 3), RGB

Fit = Literal["stretch", "letterbox", "as-it-is"]
Scores = Literal["softmax-inside", "softmax-outside", "as-given"]
Boxes = Literal["corners", "offsets", "centre-size"]


@dataclass(frozen=True, slots=True)
class Detections:
    """Boxes with one class each: left, top, right, bottom, which may leave the image."""

    boxes: Floats  # (boxes, 4)
    scores: Floats  # (boxes,)
    labels: Labels  # (boxes,), as the model counts its classes

    def at(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Detections:
        """Those at some indices, or where a mask is true."""
        return Detections(self.boxes[chosen], self.scores[chosen], self.labels[chosen])

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class Anchors:
    """Boxes with a score for each class, before any suppression, in the order in which the model gives them."""

    boxes: Floats  # (boxes, 4): left, top, right, bottom
    scores: Floats  # (boxes, classes), without a background's column
    first: int = 0  # the label of column 0: 1 where the model counts a background as 0


Found = Anchors | Detections


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a detector, for the evidence."""

    family: str
    width: int | None  # of its input, in pixels; None: as large as the image
    height: int | None
    fit: Fit  # how an image is brought to that size
    colour: Literal["RGB", "BGR"]
    scale: float  # the model's input is (pixel * scale - mean) / std
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    suppressed_inside: bool  # whether overlapping boxes are suppressed inside the model
    background_first: bool  # whether label 0 is the background
    labels: int | None  # how many the model counts, a background included; None where the model does not say
    names: tuple[str, ...] = ()  # of the labels, where the model's own metadata hold them
    scores: Scores = "as-given"
    boxes: Boxes = "corners"
    graph_agrees: bool = True  # whether the operators before its outputs say the same as its answers to images


@dataclass(frozen=True, slots=True)
class Scaling:
    """How pixels become the model's input, in place of what a family or handin.json says: as in `Description`."""

    colour: Literal["RGB", "BGR"]
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def from_request(cls, values: dict[str, Any]) -> Scaling:
        """The scaling in a request, which the harness has checked."""
        return cls(values["colour"], values["scale"], tuple(values["mean"]), tuple(values["std"]))

    def of(self, description: Description) -> Description:
        """The description with this scaling; images are brought to their size as before."""
        return replace(description, colour=self.colour, scale=self.scale, mean=self.mean, std=self.std)


class Detector(Protocol):
    """A detector, ready to answer."""

    @property
    def description(self) -> Description: ...

    def answer(self, image: Pixels) -> Found:
        """Its boxes, relative to `image`: 0 to 1 inside of it. Raises `Unusable`, or what a student's code raises."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a family may need to open a detector."""

    file: Path  # the model, or the own code's predict.py
    threads: int
    rule: Rule | None = None  # the declared pre-processing
    scaling: Scaling | None = None  # what training images showed to fit, where nothing is declared
    data: Mapping[str, Path] = field(default_factory=dict)  # an ONNX file's external data, by the location it names
    checks: Sequence[Pixels] = ()  # images on which a family looks what its outputs are
    watched: Callable[[Any], Any] = lambda session: session  # what stands between an ONNX graph and its session
    named: int = 0  # how many classes labels.txt names, a background not counted; 0 where there is none
