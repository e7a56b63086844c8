"""torchvision's detectors as ONNX: boxes in pixels, labels and scores, suppressed inside; label 0 is the background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph.image_input import image_input, only_input
from ...models.loaded_model import Unusable
from ..declared import as_declared
from ..detector import Description, Detections, Opening, Pixels
from ..fitting import fitted, model_input
from ..onnx_detector import OnnxGraph, number_of_outputs, opened

RUNS_CODE = False
_SIDES = (8, 4096)  # pixels


def matches(file: Path) -> bool:
    return number_of_outputs(file) >= 3


def load(opening: Opening) -> TorchvisionOnnx:
    graph = opened(opening)
    batched, height, width = _input(graph.model)
    description = Description(
        family="torchvision_onnx",
        width=width,
        height=height,
        fit="as-it-is" if width is None else "stretch",
        colour="RGB",
        scale=1 / 255,
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        suppressed_inside=True,
        background_first=True,
        labels=None,
        names=graph.names,
    )
    return TorchvisionOnnx(as_declared(description, opening), graph, batched)


def _input(model: Any) -> tuple[bool, int | None, int | None]:
    """Whether the image comes in a batch, its height and its width; these are None unless both are fixed."""
    import onnx

    kind = only_input(model).type.tensor_type
    sides = [side.dim_value if side.dim_value > 0 else None for side in kind.shape.dim]
    if len(sides) == 4:
        given = image_input(model)
        if given.layout != "NCHW" or given.dtype != "float32":
            raise Unusable("it has three outputs, as torchvision's detectors, but takes other images than they do")
        height, width = given.height, given.width
    else:
        if len(sides) != 3 or sides[0] not in (3, None) or kind.elem_type != onnx.TensorProto.FLOAT:
            raise Unusable(f"its input has the shape {sides}; torchvision's detectors take 3 x height x width, float32")
        height, width = sides[1:]
        if any(side is not None and not _SIDES[0] <= side <= _SIDES[1] for side in (height, width)):
            raise Unusable(f"the input is {width} x {height} pixels; between {_SIDES[0]} and {_SIDES[1]} are accepted")
    fixed = height is not None and width is not None
    return len(sides) == 4, height if fixed else None, width if fixed else None


@dataclass(frozen=True, slots=True)
class TorchvisionOnnx:
    """A detector that takes an image of 0 to 1, and gives boxes in its pixels."""

    description: Description
    _graph: OnnxGraph
    _batched: bool

    def answer(self, image: Pixels) -> Detections:
        placed = fitted(image, self.description)
        given = model_input(placed.pixels, self.description, "NCHW", "float32")
        boxes, labels, scores = _told_apart(self._graph.run(given if self._batched else given[0]))
        return Detections(placed.relative(boxes.astype(np.float32)), scores.astype(np.float32), labels.astype(np.int64))


def _told_apart(outputs: list[NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Boxes (n, 4), labels (n,) and scores (n,), whatever their order. Raises `Unusable` unless each is there once."""
    plain = [one[0] if one.ndim > 1 and one.shape[0] == 1 and one.shape[-1:] != (4,) else one for one in outputs]
    plain = [one[0] if one.ndim == 3 and one.shape[0] == 1 else one for one in plain]
    boxes = [one for one in plain if one.ndim == 2 and one.shape[1] == 4 and one.dtype.kind == "f"]
    labels = [one for one in plain if one.ndim == 1 and one.dtype.kind in "iu"]
    scores = [one for one in plain if one.ndim == 1 and one.dtype.kind == "f"]
    if not (len(boxes) == len(labels) == len(scores) == 1 and len(boxes[0]) == len(labels[0]) == len(scores[0])):
        shapes = [one.shape for one in outputs]
        raise Unusable(
            f"of its outputs {shapes} it is not plain which are boxes, labels and scores; export these three as "
            "torchvision gives them, labels as whole numbers"
        )
    return boxes[0], labels[0], scores[0]
