"""A detector's graph in the forms that look into classifiers' graphs: one image in, one row of numbers out, one head.

The row holds all outputs, so that every layer counts; the head is that of all classification heads together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .final_layer import MOST_NUMBERS
from .image_input import only_input

Array = NDArray[Any]

_AXES_ARE_AN_INPUT = 13  # operator set from which Squeeze takes its axes as an input
_MOVING = ("Reshape", "Transpose", "Flatten", "Identity", "Cast", "Squeeze", "Unsqueeze", "Softmax", "Sigmoid")
_LONGEST = 32  # nodes between an output and its heads
_ROW = "harness_row"


def with_a_batch(model: Any) -> bool:
    """Put a batch of one before an image without a batch's dimension. Whether that changed the model."""
    import onnx

    value = only_input(model)
    sides = value.type.tensor_type.shape.dim
    if len(sides) != 3:
        return False
    name, opset = value.name, max(one.version for one in model.opset_import if one.domain in ("", "ai.onnx"))
    if opset >= _AXES_ARE_AN_INPUT:
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0], np.int64), f"{name}_axes"))
        node = onnx.helper.make_node("Squeeze", [f"{name}_batch", f"{name}_axes"], [name])
    else:
        node = onnx.helper.make_node("Squeeze", [f"{name}_batch"], [name], axes=[0])
    model.graph.node.insert(0, node)
    value.name = f"{name}_batch"
    first = onnx.TensorShapeProto.Dimension(dim_value=1)
    kept = [first, *(onnx.TensorShapeProto.Dimension.FromString(side.SerializeToString()) for side in sides)]
    del sides[:]
    sides.extend(kept)
    return True


def in_one_row(model: Any) -> Any:
    """The same model with all of its outputs in one, (batch, numbers)."""
    import onnx

    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph, rows = made.graph, []
    for number, output in enumerate(graph.output):
        row = f"{_ROW}_{number}"
        graph.node.append(onnx.helper.make_node("Cast", [output.name], [f"{row}_float"], to=onnx.TensorProto.FLOAT))
        graph.node.append(onnx.helper.make_node("Flatten", [f"{row}_float"], [row], axis=1))
        rows.append(row)
    graph.node.append(onnx.helper.make_node("Concat", rows, [_ROW], axis=1))
    del graph.output[:]
    graph.output.append(onnx.helper.make_tensor_value_info(_ROW, onnx.TensorProto.FLOAT, [None, None]))
    return made


def class_heads(model: Any, tensors: Mapping[str, Array], classes: int) -> NDArray[np.float32] | None:
    """The weights that score each class, (classes, inputs), of all classification heads of an SSD together.

    `model`: with the outputs that it was handed in with. None where they are not convolutions of so many classes, or of
    these and a background, which is left out.
    """
    producer = {name: node for node in model.graph.node for name in node.output}
    for output in model.graph.output:
        heads = [_by_class(weight, classes) for weight in _convolutions(output.name, producer, tensors)]
        if heads and all(head is not None for head in heads):
            joined = np.concatenate([head for head in heads if head is not None], axis=1)
            kept = np.ascontiguousarray(joined[:, : MOST_NUMBERS // classes], np.float32)
            if classes > 1 and np.isfinite(kept).all() and kept.any():
                return kept
    return None


def _by_class(weight: Array, classes: int) -> Array | None:
    """A head's weights (boxes * columns, inputs, ...) as (classes, boxes * inputs)."""
    for columns in (classes + 1, classes):
        boxes, left = divmod(len(weight), columns)
        if left == 0 and boxes > 0:
            by_box = weight.reshape(boxes, columns, -1)[:, columns - classes :]
            return np.moveaxis(by_box, 1, 0).reshape(classes, -1)
    return None


def _convolutions(name: str, producer: Mapping[str, Any], tensors: Mapping[str, Array]) -> Iterator[Array]:
    """The weights of the convolutions whose outputs are joined to the output, in their order."""
    for _ in range(_LONGEST):
        node = producer.get(name)
        if node is None:
            return
        if node.op_type == "Concat":
            for inner in node.input:
                yield from _convolutions(inner, producer, tensors)
            return
        if node.op_type == "Conv":
            if node.input[1] in tensors:
                yield tensors[node.input[1]]
            return
        if node.op_type not in _MOVING:
            return
        name = node.input[0]
