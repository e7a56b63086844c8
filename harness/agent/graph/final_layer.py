"""A graph's final layer: the linear map from its last activations to the class scores.

Consecutive linear layers, factors and BatchNorms are multiplied to one map, so splitting or scaling a layer does not
change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MOST_NUMBERS = 2**18  # of the map that are sent: 1 MiB; a larger map is cut to its first inputs
_LONGEST = 64  # nodes
_MOST_OUTPUTS = 1000
_LARGEST = 2**22  # numbers of the map while it is put together
_SAME_NUMBERS = {  # operators that keep the numbers of each channel
    *("Identity", "Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Dropout", "Softmax", "LogSoftmax"),
    *("GlobalAveragePool", "ReduceMean", "Transpose"),
}
_ARITHMETIC: dict[str, Callable[[Array, Array], Array]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
}


def final_layer(model: Any, tensors: Mapping[str, Array]) -> NDArray[np.float32] | None:
    """The map, float32, shape (outputs, inputs); None where the scores are not linear, or the map is not finite."""
    producer = {name: node for node in model.graph.node for name in node.output}
    name = model.graph.output[0].name
    found: Array | None = None
    scale = 1.0
    for _ in range(_LONGEST):
        node = producer.get(name)
        step = _step(node, tensors, producer) if node is not None else None
        if step is None:
            break
        name, factor = step
        if factor is not None and factor.size == 1:
            scale *= float(factor.reshape(()))
        elif factor is not None:
            applied = _applied(found, factor)
            if applied is None:
                break
            found = applied
    if found is None or not 1 < len(found) <= _MOST_OUTPUTS:
        return None
    kept = np.ascontiguousarray(scale * found[:, : MOST_NUMBERS // len(found)], np.float32)
    return kept if np.isfinite(kept).all() and kept.any() else None


def _step(node: Any, tensors: Mapping[str, Array], producer: Mapping[str, Any]) -> tuple[str, Array | None] | None:
    """The node's input, and the factor it is multiplied by; None for a node that is not linear."""

    def constant(name: str) -> Array | None:
        return _constant(name, tensors, producer, 8)

    if node.op_type in _SAME_NUMBERS:
        return node.input[0], None
    if node.op_type in ("Gemm", "MatMul", "Conv"):
        weight = constant(node.input[1])
        return None if weight is None else (node.input[0], _matrix(node, weight))
    if node.op_type == "BatchNormalization":
        scale, variance = constant(node.input[1]), constant(node.input[4])
        epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
        return None if scale is None or variance is None else (node.input[0], scale / np.sqrt(variance + epsilon))
    if node.op_type in _ARITHMETIC:
        values = [constant(name) for name in node.input]
        known = [index for index, value in enumerate(values) if value is not None]
        if len(known) != 1 or (node.op_type == "Div" and known == [0]):
            return None
        value = values[known[0]]
        assert value is not None
        data = node.input[1 - known[0]]
        if node.op_type in ("Add", "Sub"):
            return data, None
        return data, 1 / value.reshape(-1) if node.op_type == "Div" else value.reshape(-1)
    return None


def _matrix(node: Any, weight: Array) -> Array | None:
    """The node's weights, shape (outputs, inputs)."""
    if node.op_type == "Conv":
        return weight.reshape(len(weight), -1)
    if weight.ndim != 2:
        return None
    turned = any(a.name == "transB" and a.i for a in node.attribute)
    return weight if turned else weight.T


def _applied(found: Array | None, factor: Array) -> Array | None:
    """The map multiplied by one more factor nearer to the input: a matrix, or a number for each channel."""
    if found is None:
        if factor.ndim == 1:
            return np.diag(factor) if len(factor) <= _MOST_OUTPUTS else None
        return factor if factor.size <= _LARGEST else None
    if found.shape[1] != len(factor) or len(found) * factor.shape[-1] > _LARGEST:
        return None
    return found * factor if factor.ndim == 1 else found @ factor


def _constant(name: str, tensors: Mapping[str, Array], producer: Mapping[str, Any], deep: int) -> Array | None:
    """The tensor `name`, if it does not depend on the image."""
    if name in tensors:
        return np.asarray(tensors[name], np.float64)
    node = producer.get(name)
    if node is None or deep == 0:
        return None
    values = [_constant(given, tensors, producer, deep - 1) for given in node.input[:2]]
    first = values[0] if values else None
    if first is None:
        return None
    if node.op_type in ("Identity", "Cast"):
        return first
    if node.op_type == "Transpose":
        order = next((list(a.ints) for a in node.attribute if a.name == "perm"), None)
        return first.transpose(order)
    if node.op_type in _ARITHMETIC and len(values) == 2 and values[1] is not None:
        return _ARITHMETIC[node.op_type](first, values[1])
    return None
