"""Layers of integers as layers of floats: QLinearConv, QLinearMatMul, ConvInteger and MatMulInteger.

What ONNX says of these operators (github.com/onnx/onnx, docs/Operators.md): QLinear layers multiply dequantised factors
and quantise the result; Integer layers subtract zero points and multiply. A layer that ONNX Runtime's dynamic quantiser
made is followed by a Cast and a product with both factors' scales; the scales go into the factors, so that all that
depends on the image passes through the layer.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class _Dynamic:
    """How the output of an integer layer is scaled: `scaled` is its product with the scales of both its factors."""

    scale: str
    weight_scale: str
    scaled: str


def opened(graph: Any) -> list[Any]:
    """The graph's nodes, integer layers opened. A dynamically quantised layer's old scaling may be left, unread."""
    sizes = {tensor.name: math.prod(tensor.dims) for tensor in graph.initializer}
    dynamic = _dynamic(list(graph.node), sizes)
    replaced = {item.scaled for item in dynamic.values()}
    nodes = []
    for node in graph.node:
        if not replaced.isdisjoint(node.output):
            continue
        if node.op_type == "QLinearConv":
            nodes += _qlinear(node, "Conv", 0)
        elif node.op_type == "QLinearMatMul":
            nodes += _qlinear(node, "MatMul", 1)
        elif node.op_type in ("ConvInteger", "MatMulInteger") and not _by_row(node, sizes):
            nodes += _integer(node, sizes, dynamic.get(node.output[0]))
        else:
            nodes.append(node)
    return nodes


def _by_row(node: Any, sizes: Mapping[str, int]) -> bool:
    """Whether a product has a zero point for each row of its first factor."""
    return node.op_type == "MatMulInteger" and len(node.input) > 2 and sizes.get(node.input[2], 1) > 1


def _dynamic(nodes: list[Any], sizes: Mapping[str, int]) -> dict[str, _Dynamic]:
    """Output of an integer layer -> how it is scaled, for those that a dynamic quantiser made."""
    makers = {name: node for node in nodes for name in node.output}
    readers: dict[str, list[Any]] = defaultdict(list)
    for node in nodes:
        for name in node.input:
            readers[name].append(node)
    found = {}
    for node in nodes:
        source = makers.get(node.input[0]) if node.op_type in ("ConvInteger", "MatMulInteger") else None
        if source is None or source.op_type != "DynamicQuantizeLinear" or len(node.input) < 3:
            continue
        cast = _only(readers[node.output[0]], "Cast")
        product = _only(readers[cast.output[0]], "Mul") if cast is not None else None
        if cast is None or product is None or node.input[2] != source.output[2]:
            continue
        both = makers.get(next((name for name in product.input if name != cast.output[0]), ""))
        if both is None or both.op_type != "Mul" or source.output[1] not in both.input:
            continue
        weight_scale = next((name for name in both.input if name != source.output[1]), "")
        if weight_scale in sizes:
            found[node.output[0]] = _Dynamic(source.output[1], weight_scale, product.output[0])
    return found


def _only(readers: list[Any], operator: str) -> Any | None:
    return readers[0] if len(readers) == 1 and readers[0].op_type == operator else None


def _qlinear(node: Any, layer: str, axis: int) -> list[Any]:
    import onnx

    make, own = onnx.helper.make_node, f"{node.output[0]} in floats"
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero = node.input[:8]
    made = [
        make("DequantizeLinear", [x, x_scale, x_zero], [f"{own}, x"], axis=1),
        make("DequantizeLinear", [w, w_scale, w_zero], [f"{own}, w"], axis=axis),
    ]
    inputs = [f"{own}, x", f"{own}, w"]
    if len(node.input) > 8 and node.input[8]:  # its scale is that of both factors
        made += [
            make("Cast", [node.input[8]], [f"{own}, whole bias"], to=onnx.TensorProto.FLOAT),
            make("Mul", [f"{own}, whole bias", x_scale], [f"{own}, half bias"]),
            make("Mul", [f"{own}, half bias", w_scale], [f"{own}, bias"]),
        ]
        inputs.append(f"{own}, bias")
    multiplied = make(layer, inputs, [f"{own}, y"], name=node.name)
    multiplied.attribute.extend(node.attribute)
    return [*made, multiplied, make("QuantizeLinear", [f"{own}, y", y_scale, y_zero], list(node.output), axis=1)]


def _integer(node: Any, sizes: Mapping[str, int], dynamic: _Dynamic | None) -> list[Any]:
    import onnx

    kinds, make, own = onnx.TensorProto, onnx.helper.make_node, f"{node.output[0]} in floats"
    made, factors = [], []
    for place, side in ((0, "x"), (1, "w")):
        name = f"{own}, {side}"
        made.append(make("Cast", [node.input[place]], [name], to=kinds.FLOAT))
        zero = node.input[place + 2] if len(node.input) > place + 2 else ""
        scale = (dynamic.scale, dynamic.weight_scale)[place] if dynamic is not None else ""
        if zero:
            made.append(make("Cast", [zero], [f"{own}, {side} zero"], to=kinds.FLOAT))
        for operator, operand, size in (("Sub", f"{own}, {side} zero" if zero else "", zero), ("Mul", scale, scale)):
            if not operand:
                continue
            if place == 1 and node.op_type == "ConvInteger" and sizes.get(size, 1) > 1:  # one for each output channel
                shape = onnx.numpy_helper.from_array(np.array([-1, 1, 1, 1], np.int64))
                made.append(make("Constant", [], [f"{own}, {operator} shape"], value=shape))
                made.append(make("Reshape", [operand, f"{own}, {operator} shape"], [f"{own}, {operator}s"]))
                operand = f"{own}, {operator}s"
            made.append(make(operator, [name, operand], [f"{name}, {operator}"]))
            name = f"{name}, {operator}"
        factors.append(name)
    output = f"{own}, y" if dynamic is None else dynamic.scaled
    multiplied = make("Conv" if node.op_type == "ConvInteger" else "MatMul", factors, [output], name=node.name)
    multiplied.attribute.extend(node.attribute)
    return [
        *made,
        multiplied,
        *([make("Cast", [output], list(node.output), to=kinds.INT32)] if dynamic is None else []),
    ]
