"""The phase `kernels`: lists the kernels with which an engine runs the ONNX graph.

The request holds `height` and `width`, used if the graph's input size is free. Sent: `kernels.json`; or `refused.json`.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..graph.fusion import fuse
from ..graph.multiply_adds import parameters
from ..graph.onnx_errors import stopped
from ..graph.onnx_model import every_node, read
from ..graph.shapes import Shape, tensor_shapes
from ..models.loaded_model import Unusable
from ..paths import IN
from .refusal import refusing, unread

_MOST = 20_000  # kernels; the largest networks for boards have about 1,000
_INSIDE = ("If", "Loop", "Scan", "SequenceMap")  # operators whose subgraphs are not listed
_SIDES = (8, 4096)  # pixels
_LARGEST = 2**53  # upper bound of every count


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """List the kernels of /in/model."""
    with refusing(send, Unusable):
        try:
            reply = listed(read(IN / "model"), request["height"], request["width"])
        except Unusable:
            raise
        except Exception as error:
            traceback.print_exc()
            raise Unusable(unread(error)) from error
        send("kernels.json", json.dumps(reply).encode())


def listed(model: Any, height: int, width: int) -> dict[str, Any]:
    """The kernels for one image, as JSON. Raises `Unusable` when the graph does not take an image or does not run."""
    import onnx.inliner

    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    name, shape, dtype = image_input(model, height, width)
    wanted = [tensor for node in model.graph.node for tensor in (*node.input, *node.output)]
    try:
        shapes, whole = tensor_shapes(model, wanted, name, shape, dtype)
    except Exception as error:  # onnxruntime's own classes, one for each of its status codes
        raise Unusable(stopped(error)) from error
    kernels, unknown = fuse(model, shapes, whole)
    if len(kernels) > _MOST:
        raise Unusable(f"the graph has {len(kernels)} kernels; at most {_MOST} are taken")
    for inner in (node.op_type for node in every_node(model) if node.op_type in _INSIDE):
        unknown[inner] = max(1, unknown.get(inner, 0))
    return {
        "input": list(shape),
        "parameters": parameters(model),
        "unknown": unknown,
        "kernels": [
            {
                "kind": kernel.kind,
                "name": kernel.name,
                "operations": min(kernel.operations, _LARGEST),
                "inputs": min(kernel.inputs, _LARGEST),
                "weights": min(kernel.weights, _LARGEST),
                "outputs": min(kernel.outputs, _LARGEST),
                "shape": list(kernel.shape),
                "nodes": kernel.nodes,
            }
            for kernel in kernels
        ],
    }


def image_input(model: Any, height: int, width: int) -> tuple[str, Shape, str]:
    """The only input: its name, its shape for one image, and its numpy type. Free sides become `height` and `width`.

    Raises `Unusable` unless the input is one numeric image.
    """
    import onnx

    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1:
        raise Unusable(f"the model takes {len(inputs)} inputs; one image is expected")
    kind = inputs[0].type.tensor_type
    if len(kind.shape.dim) != 4:
        raise Unusable(f"the input has {len(kind.shape.dim)} dimensions; a batch of images has 4")
    sides = [dimension.dim_value or None for dimension in kind.shape.dim]
    if sides[0] not in (None, 1):
        raise Unusable(f"the model takes exactly {sides[0]} images at a time; export it for 1, or with a free batch")
    by_pixel = sides[3] in (1, 3) and sides[1] not in (1, 3)  # NHWC
    free = (1, height, width, 3) if by_pixel else (1, 3, height, width)
    shape = tuple(side if side is not None else given for side, given in zip(sides, free, strict=True))
    if any(not _SIDES[0] <= side <= _SIDES[1] for side in (shape[1:3] if by_pixel else shape[2:])):
        raise Unusable(f"the input's shape is {list(shape)}; sides of {_SIDES[0]} to {_SIDES[1]} pixels are taken")
    types = {
        onnx.TensorProto.FLOAT: "float32",
        onnx.TensorProto.FLOAT16: "float16",
        onnx.TensorProto.UINT8: "uint8",
        onnx.TensorProto.INT8: "int8",
    }
    if kind.elem_type not in types:
        raise Unusable("the input's type is not float32, float16, uint8 or int8")
    return inputs[0].name, shape, types[kind.elem_type]
