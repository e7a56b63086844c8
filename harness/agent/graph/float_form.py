"""The graph with its layers and weights in floating point: integer layers opened, stored weights dequantised.

What follows reads weights by their numbers, so a graph of ONNX Runtime's quantiser (QDQ, QOperator or dynamic), one
whose weights are stored in half precision and cast, and one with arithmetic on stored integers become one form:
layers with float32 initializers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .integer_layers import opened
from .onnx_model import nodes_inside

Array = NDArray[Any]

_FOLDED = (
    "DequantizeLinear", "QuantizeLinear", "Cast", "CastLike", "Sub", "Mul", "Add", "Div", "Identity", "Reshape",
    "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Constant",
)  # fmt: skip
_TURNED = ("Reshape", "Squeeze", "Unsqueeze")  # a bias, to stand beside feature maps
_ONNX = ("", "ai.onnx")  # names of the standard's own domain
_LARGEST = 2**29  # numbers of all folded tensors together


@dataclass(frozen=True, slots=True)
class _Constant:
    """A tensor that is the same for all images; `step`: distance of each number to the next that its storage has."""

    value: Array
    step: Array | None
    is_low: bool  # stored, somewhere on the way, in fewer bits than float32


def float_form(model: Any) -> tuple[Any, dict[str, Array]]:
    """The model in floating point, and weight -> steps of its storage, where it was stored in integers.

    The model computes what the given one does, up to float32's rounding. Its functions must be inlined.
    """
    import onnx

    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    nodes = opened(changed.graph)
    known = {tensor.name: _stored(tensor) for tensor in changed.graph.initializer if _is_low(tensor)}
    others = {t.name: t for t in changed.graph.initializer if t.name not in known}
    kept, room = [], _LARGEST
    for node in nodes:
        if node.op_type == "Constant" and (tensor := _value(node)) is not None and not _is_low(tensor):
            others[node.output[0]] = tensor
        folded = _folded(node, known, others, changed.opset_import) if room > 0 else None
        if folded is None:
            kept.append(node)
            continue
        known[node.output[0]] = folded
        room -= folded.value.size
    kept = _needed(kept, {value.name for value in changed.graph.output})
    read = {name for node in _all(kept) for name in node.input} | {value.name for value in changed.graph.output}
    made = {name for node in nodes for name in node.output}
    stored = [onnx.TensorProto.FromString(t.SerializeToString()) for t in changed.graph.initializer if t.name in read]
    for name in sorted(made.intersection(known).intersection(read)):
        stored.append(onnx.numpy_helper.from_array(known[name].value, name))
    del changed.graph.initializer[:]
    changed.graph.initializer.extend(stored)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in kept]
    del changed.graph.node[:]
    changed.graph.node.extend(copies)
    if len(made) != sum(len(node.output) for node in model.graph.node) or len(kept) != len(nodes):
        del changed.graph.value_info[:]  # types of tensors that are no more
    steps = {name: found.step for name, found in known.items() if found.step is not None and name in read}
    return changed, {name: step for name, step in steps.items() if known[name].value.dtype.kind == "f"}


def _all(nodes: list[Any]) -> list[Any]:
    return [inner for node in nodes for inner in (node, *nodes_inside(node))]


def _needed(nodes: list[Any], wanted: set[str]) -> list[Any]:
    """The nodes, in execution order, on which one of the `wanted` depends."""
    found, wanted = [], set(wanted)
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            found.append(node)
            wanted.update(name for inner in _all([node]) for name in inner.input)
    return found[::-1]


def _is_low(tensor: Any) -> bool:
    import onnx

    kinds = onnx.TensorProto
    return tensor.data_type not in (kinds.FLOAT, kinds.DOUBLE, kinds.INT64, kinds.STRING, kinds.BOOL)


def _value(node: Any) -> Any | None:
    return next((a.t for a in node.attribute if a.name == "value"), None)


def _stored(tensor: Any) -> _Constant:
    import onnx

    return _Constant(onnx.numpy_helper.to_array(tensor), None, True)


def _folded(node: Any, known: Mapping[str, _Constant], others: Mapping[str, Any], opsets: Any) -> _Constant | None:
    """The node's output, if it is a constant that was stored in few bits; else None."""
    import onnx

    if node.op_type == "Constant":
        tensor = _value(node)
        return _stored(tensor) if tensor is not None and _is_low(tensor) else None
    names = [name for name in node.input if name]
    if node.op_type not in _FOLDED or not names or not all(name in known or name in others for name in names):
        return None
    given = {
        n: known[n] if n in known else _Constant(onnx.numpy_helper.to_array(others[n]), None, False) for n in names
    }
    low = node.op_type == "QuantizeLinear" or any(one.is_low for one in given.values())
    if not low and not (node.op_type in _TURNED and _is_vector(given[names[0]].value)):
        return None
    try:
        value = _run(node, {name: one.value for name, one in given.items()}, opsets)
        step = _step(node, given, value, opsets)
    except Exception:  # the reference implementation's, for types that it does not have; engines then judge the node
        return None
    return _Constant(value, step, low)


def _is_vector(value: Array) -> bool:
    return value.dtype.kind == "f" and value.size == max(value.shape, default=1)


def _step(node: Any, given: Mapping[str, _Constant], value: Array, opsets: Any) -> Array | None:
    """How far each number of the output moves when the stored one moves to the next."""
    data = max(given, key=lambda name: given[name].value.size)
    one = given[data]
    if node.op_type == "QuantizeLinear" or (value.dtype.kind != "f" and one.step is None):
        return None
    if one.step is not None:
        moved = one.value + one.step.astype(one.value.dtype)
    elif one.value.dtype.kind in "iu" or one.value.dtype.name.startswith(("int", "uint")):
        moved = _next(one.value)
    elif one.value.dtype.name.startswith("float8"):
        return _float8_step(one.value.dtype, value)
    else:
        return None
    values = {name: item.value for name, item in given.items()} | {data: moved}
    return np.abs(_run(node, values, opsets).astype(np.float64) - value).astype(np.float32)


def _next(value: Array) -> Array:
    wide = value.astype(np.int64)
    top = wide.max(initial=0)
    return np.where(wide < top, wide + 1, wide - 1).astype(value.dtype)


def _float8_step(dtype: Any, value: Array) -> Array:
    bits = {"float8_e5m2": 2, "float8_e5m2fnuz": 2}.get(dtype.name, 3)  # of the mantissa
    step: Array = np.abs(value.astype(np.float32)) * 2.0**-bits
    return step


def _run(node: Any, values: Mapping[str, Array], opsets: Any) -> Array:
    import onnx
    from onnx.reference import ReferenceEvaluator

    inputs = [
        onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in values.items()
    ]
    graph = onnx.helper.make_graph([node], "constant", inputs, [onnx.ValueInfoProto(name=node.output[0])])
    least = 19 if node.op_type == "DequantizeLinear" else 1  # the reference's first; it adds types only
    versions = [onnx.helper.make_opsetid("", max(one.version, least)) if one.domain in _ONNX else one for one in opsets]
    made = onnx.helper.make_model(graph, opset_imports=versions)
    found: Any = ReferenceEvaluator(made).run(None, {**values})
    return np.asarray(found[0])
