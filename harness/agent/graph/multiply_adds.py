"""How many parameters an ONNX graph has, and how many multiply-adds one image takes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .onnx_model import Signature, every_node
from .operators import FACTORS
from .sequence_work import SEQUENCE, names, sequence_multiply_adds
from .shapes import Shape, tensor_shapes

# Operators with work that is not counted; all others cost next to nothing beside a convolution.
_UNCOUNTED = (
    "DeformConv", "If", "Loop", "Scan", "RoiAlign", "DFT", "STFT", "GridSample", "Det",
)  # fmt: skip
_LARGEST = 2**53  # multiply-adds; no real network has more


_FEWEST = 8  # numbers in a tensor that can be identified by them


@dataclass(frozen=True, slots=True)
class Work:
    """Multiply-adds for one image, and the operators that are not counted."""

    multiply_adds: int
    uncounted: tuple[str, ...]


def weights(model: Any) -> dict[str, NDArray[Any]]:
    """Name -> floating-point tensor (initializer or `Constant` node) that some operator uses.

    A tensor that the file stores once and uses under several names through `Identity`, as exporters store equal
    tensors, appears under each name.
    """
    from onnx import TensorProto, numpy_helper

    floats = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    stored[node.output[0]] = attribute.t
    found = {name: tensor for name, tensor in stored.items() if tensor.data_type in floats}
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
    used = {name for node in every_node(model) if node.op_type != "Identity" for name in node.input}
    arrays = {name: numpy_helper.to_array(tensor) for name, tensor in found.items() if name in used}
    return {name: a if a.dtype.kind == "f" else a.astype(np.float32) for name, a in arrays.items()}


def fingerprint(tensors: Mapping[str, NDArray[Any]]) -> str:
    """A hash of the weights, whatever the tensors' names and the order of axes and classes; empty without weights."""
    sums = set[str]()
    for tensor in tensors.values():
        if tensor.size >= _FEWEST:
            bits = np.ascontiguousarray(tensor, dtype=np.float32).reshape(-1).view(np.uint32).astype(np.uint64)
            with np.errstate(over="ignore"):
                sums.add(f"{bits.size} {bits.sum()} {(bits * bits).sum()} {(bits * bits * bits).sum()}")
    return hashlib.sha256("\n".join(sorted(sums)).encode()).hexdigest() if sums else ""


def parameters(model: Any) -> int:
    """The count of numbers that training can change: all weights but BatchNorm's running statistics.

    Single numbers, such as a clipping bound, do not count.
    """
    left_out = statistics(model)
    return sum(tensor.size for name, tensor in weights(model).items() if name not in left_out and tensor.ndim > 0)


def statistics(model: Any) -> set[str]:
    """The names of BatchNorm's running statistics, which training does not change by gradients."""
    return {name for node in model.graph.node if node.op_type == "BatchNormalization" for name in node.input[3:5]}


def work(model: Any, graph: Signature, height: int, width: int) -> Work:
    """Count by running the model once on a black image of `height` x `width`, with batch 1.

    Raises `Unusable` when it does not run.
    """
    import onnx.inliner

    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    nodes = [node for node in model.graph.node if node.op_type in FACTORS]
    sequences = [node for node in model.graph.node if node.op_type in SEQUENCE]
    shape = (1, 3, height, width) if graph.layout == "NCHW" else (1, height, width, 3)
    wanted = [name for node in nodes for name in _names(node)]
    wanted += [name for node in sequences for name in names(node)]
    shapes, _ = tensor_shapes(model, wanted, graph.input, shape, graph.dtype)
    total = sum(multiply_adds(node, shapes) for node in nodes)
    uncounted = {node.op_type for node in every_node(model) if node.op_type in _UNCOUNTED}
    for node in sequences:
        counted = sequence_multiply_adds(node, shapes)
        total += counted or 0
        if counted is None:
            uncounted.add(node.op_type)
    return Work(min(total, _LARGEST), tuple(sorted(uncounted)))


def multiply_adds(node: Any, shapes: dict[str, Shape]) -> int:
    """Multiply-adds of a node in `FACTORS`; the shapes of its factors and of its first output must be known."""
    first, second = FACTORS[node.op_type]
    left, right = shapes[node.input[first]], shapes[node.input[second]]
    out = math.prod(shapes[node.output[0]])
    match node.op_type:
        case "Conv" | "ConvInteger" | "QLinearConv":
            return out * math.prod(right[1:])  # weight: outputs, inputs / groups, kernel
        case "ConvTranspose":
            return math.prod(left) * math.prod(right[1:])
        case "Gemm":
            turned = any(a.name == "transA" and a.i for a in node.attribute)
            return out * left[0 if turned else -1]
        case _:
            return out * left[-1]


def _names(node: Any) -> Iterator[str]:
    first, second = FACTORS[node.op_type]
    yield from (node.input[first], node.input[second], node.output[0])
