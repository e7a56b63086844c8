"""The input of an ONNX graph: one image, its sides, its layout, and whether the graph scales it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..images.preprocessing import Layout
from ..models.loaded_model import Unusable

_SIDES = (8, 2048)  # pixels
_LARGE = 10.0  # a mean or a divisor of pixels from 0 to 255 is larger, one of scaled pixels is smaller
_FORMS: dict[str | None, str] = {
    "sequence_type": "a sequence",
    "map_type": "a map",
    "sparse_tensor_type": "a sparse tensor",
}
_NO_TENSORS: dict[str, dict[str | None, str]] = {
    "input": {**_FORMS, "optional_type": "optional"},
    "output": _FORMS,  # engines return an optional as the tensor that it holds
}


@dataclass(frozen=True, slots=True)
class ImageInput:
    """The graph's only input, a batch of images. `height` and `width` are None where they are free."""

    name: str
    layout: Layout
    height: int | None
    width: int | None
    dtype: Literal["float32", "uint8"]
    dynamic_batch: bool


def image_input(model: Any) -> ImageInput:
    """The model's only input. Raises `Unusable` unless it is a batch of images of float32 or uint8."""
    import onnx

    value = only_input(model)
    check_tensor("input", value)
    kind = value.type.tensor_type
    types = {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.UINT8: "uint8"}
    if kind.elem_type not in types:
        name = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
        raise Unusable(f"the input's type is {name}; export the model with a float32 or uint8 input")
    shape: list[int | None] = [None] * 4
    if kind.HasField("shape"):
        shape = [_side(dimension) for dimension in kind.shape.dim]
    layout, height, width = _layout(shape)
    if shape[0] is not None and shape[0] != 1:
        raise Unusable(f"the model takes exactly {shape[0]} images at a time; export it with a dynamic batch, or for 1")
    dtype: Literal["float32", "uint8"] = "uint8" if types[kind.elem_type] == "uint8" else "float32"
    return ImageInput(value.name, layout, height, width, dtype, shape[0] is None)


def only_input(model: Any) -> Any:
    """The graph's only input. Raises `Unusable` for any other number of them."""
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1:
        raise Unusable(f"the model takes {len(inputs)} inputs; it has to take one image")
    return inputs[0]


def check_tensor(what: Literal["input", "output"], value: Any) -> None:
    """Raises `Unusable` unless the input or output is a tensor."""
    if (form := value.type.WhichOneof("value")) in _NO_TENSORS[what]:
        raise Unusable(
            f"the {what} is {_NO_TENSORS[what][form]}, not a tensor; export a model that takes images and gives tensors"
        )


def scales_its_input(model: Any, input_name: str) -> bool:
    """Whether the first operator on the pixels is arithmetic, as a Rescaling layer is."""
    return _first_arithmetic(model, input_name) is not None


def takes_raw_pixels(model: Any, input_name: str) -> bool:
    """Whether the arithmetic on the pixels, if there is any, is such as brings 0 to 255 near 0.

    A detector may instead begin with arithmetic on pixels that are scaled already: to another backbone's scale, say.
    """
    node = _first_arithmetic(model, input_name)
    if node is None or node.op_type == "BatchNormalization":
        return node is not None
    size = _largest_constant(model, node)
    if size is None:
        return True
    return size < 1 / _LARGE if node.op_type == "Mul" else size > _LARGE


def _first_arithmetic(model: Any, input_name: str) -> Any:
    """The first operator on the pixels that does not only move them; None if it is not arithmetic."""
    name = input_name
    for node in model.graph.node:  # in execution order
        if name not in node.input:
            continue
        if node.op_type not in ("Transpose", "Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze"):
            return node if node.op_type in ("Mul", "Div", "Sub", "Add", "BatchNormalization") else None
        name = node.output[0]
    return None


def _largest_constant(model: Any, node: Any) -> float | None:
    """The largest magnitude of the node's constant operand; None where both are computed."""
    from onnx import numpy_helper

    held = {one.name: one for one in model.graph.initializer}
    for maker in model.graph.node:
        if maker.op_type == "Constant":
            held.update((maker.output[0], one.t) for one in maker.attribute if one.name == "value")
    for name in node.input:
        if name in held:
            return float(np.abs(numpy_helper.to_array(held[name])).max(initial=0))
    return None


def _side(dimension: Any) -> int | None:
    return dimension.dim_value if dimension.dim_value > 0 else None


def _layout(shape: list[int | None]) -> tuple[Layout, int | None, int | None]:
    if len(shape) != 4:
        raise Unusable(
            f"the input has {len(shape)} dimensions, and a batch of images has 4; export a model that takes images"
        )
    if shape[1] == 3 or (shape[1] is None and shape[3] != 3):
        layout, height, width = "NCHW", shape[2], shape[3]
    elif shape[3] == 3:
        layout, height, width = "NHWC", shape[1], shape[2]
    else:
        sides = " x ".join("any" if side is None else str(side) for side in shape[1:])
        raise Unusable(f"its images are {sides}, and those here have 3 colours; train it on colour images (RGB)")
    for side in (height, width):
        if side is not None and not _SIDES[0] <= side <= _SIDES[1]:
            raise Unusable(f"the input is {width} x {height} pixels; between 8 and 2048 are accepted")
    return ("NCHW" if layout == "NCHW" else "NHWC"), height, width
