"""Compares the outputs of a model's layers with those of the pre-trained layers on the same inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backbone_path import SAME_NUMBERS, Use
from .onnx_running import open_model, run_model

Tensor = NDArray[Any]
_FLAT = 1e-9  # of a channel's mean square: smaller variation is rounding


def given_weights(model: Any, uses: Sequence[Use], weights: Mapping[str, Tensor]) -> list[Tensor]:
    """The tensor that each use takes as its weight: the file's, perhaps transposed on the way."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    wanted = {use.given for use in uses if use.given not in weights}
    if not wanted:
        return [weights[use.given] for use in uses]
    names, nodes = set(wanted), []
    for node in reversed(model.graph.node):
        if node.op_type in (*SAME_NUMBERS, "Constant") and not names.isdisjoint(node.output):
            nodes.append(node)
            names.update(node.input)
    stored = [tensor for tensor in model.graph.initializer if tensor.name in names]
    outputs = [onnx.ValueInfoProto(name=name) for name in sorted(wanted)]
    part = onnx.helper.make_graph(list(reversed(nodes)), "weights", [], outputs, stored)
    found = ReferenceEvaluator(onnx.helper.make_model(part, opset_imports=model.opset_import)).run(None, {})
    values = {**weights, **dict(zip(sorted(wanted), found, strict=True))}
    return [np.asarray(values[use.given]) for use in uses]


def agreement(
    model: Any, uses: Sequence[Use], originals: Sequence[Tensor], input: str, batch: Tensor, threads: int
) -> list[float]:
    """For each use, the correlation of its output with that of the pre-trained layer (`originals`) on the same input.

    The median over the channels: 1 where only a factor or an offset changed, as folding a BatchNorm does. Raises
    `Unusable` when the changed graph does not run.
    """
    import onnx

    twins = onnx.ModelProto()
    twins.CopyFrom(model)
    graph, outputs = twins.graph, []
    for k, (use, original) in enumerate(zip(uses, originals, strict=True)):
        node = onnx.NodeProto.FromString(graph.node[use.node].SerializeToString())
        own, twin, weight = node.output[0], f"twin {k} of {use.given}", f"original {k} of {use.given}"
        node.output[0], node.input[use.position], node.name = twin, weight, twin
        graph.node.append(node)
        graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(original), weight))
        kind = onnx.helper.np_dtype_to_tensor_dtype(original.dtype)
        outputs.append((own, twin))
        there = {value.name for value in graph.output}
        graph.output.extend(
            onnx.helper.make_tensor_value_info(name, kind, None) for name in (own, twin) if name not in there
        )
    session = open_model(twins, threads)
    sums = [_Correlation() for _ in uses]
    for i in range(len(batch)):
        found = run_model(session, [name for pair in outputs for name in pair], {input: batch[i : i + 1]})
        for k, use in enumerate(uses):
            axis = 1 if model.graph.node[use.node].op_type.startswith("Conv") else -1
            sums[k].add(*(_by_channel(found[2 * k + side], axis) for side in (0, 1)))
    return [one.median() for one in sums]


def _by_channel(tensor: Tensor, axis: int) -> NDArray[np.float64]:
    moved = np.moveaxis(tensor, axis, 0)
    return moved.reshape(len(moved), -1).astype(np.float64)


class _Correlation:
    """Running sums for each channel, so that only one image's activations are in memory."""

    def __init__(self) -> None:
        self._count, self._sums = 0, np.zeros(())

    def add(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> None:
        self._count += one.shape[1]
        products = (one, other, one * one, other * other, one * other)
        self._sums = self._sums + np.stack([product.sum(axis=1) for product in products])

    def median(self) -> float:
        one, other, squares, other_squares, both = self._sums / max(1, self._count)
        varies = squares - one**2 > _FLAT * squares, other_squares - other**2 > _FLAT * other_squares
        spread = np.sqrt(np.maximum(squares - one**2, 0) * np.maximum(other_squares - other**2, 0))
        shared = np.abs(both - one * other)
        found = np.divide(shared, spread, where=varies[0] & varies[1], out=np.zeros_like(spread))
        alive = varies[0] | varies[1]  # channels that are constant in both say nothing
        return float(np.nan_to_num(np.median(found[alive]))) if alive.any() else 0.0
