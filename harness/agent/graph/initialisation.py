"""Whether weights look untrained.

Two questions: does an output layer still have a library's initialisation, and do convolutions have the
structure that only long training on many images gives?
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_CRITICAL = 1.63  # of the Kolmogorov-Smirnov statistic times sqrt(n), at 1 %
_ZERO = 1e-7
_FEWEST_CHANNELS, _FEWEST_NUMBERS = 16, 1000
_NORMALS = (0.01, 0.02)  # torchvision's classifiers; timm's


@dataclass(frozen=True, slots=True)
class Head:
    """The output layer: `weight` has the shape (outputs, inputs)."""

    weight: Array
    bias: Array | None


def head(model: Any, tensors: Mapping[str, Array]) -> Head | None:
    """The last layer with weights before the graph's output; None when there is no such layer."""
    producer = {name: node for node in model.graph.node for name in node.output}
    name, bias = model.graph.output[0].name, None
    for _ in range(32):  # a softmax, a bias, a reshape or two
        node = producer.get(name)
        if node is None:
            return None
        if node.op_type in ("Gemm", "MatMul", "Conv") and len(node.input) > 1 and node.input[1] in tensors:
            weight = tensors[node.input[1]]
            turned = any(a.name == "transB" and a.i for a in node.attribute)
            if node.op_type != "Conv" and not turned:
                weight = weight.T
            if len(node.input) > 2:
                bias = tensors.get(node.input[2], bias)
            return Head(weight.reshape(len(weight), -1), bias)
        known = [given for given in node.input if given in tensors]
        if node.op_type == "Add" and known:
            bias = tensors[known[0]]
        name = next((given for given in node.input if given not in tensors), "")
    return None


def initialised_as(layer: Head) -> str:
    """The usual initialisation that the layer cannot be distinguished from; empty when there is none.

    Kolmogorov-Smirnov against each distribution, at 1 %. One step of training moves a bias off zero.
    """
    outputs, inputs = layer.weight.shape
    values = np.sort(layer.weight.astype(np.float64).reshape(-1))
    if not np.isfinite(values).all():
        return ""
    no_bias = layer.bias is None or bool((np.abs(layer.bias) <= _ZERO).all())
    if values[0] == values[-1]:
        return "one number throughout" if no_bias else ""
    torch_bound = 1 / math.sqrt(inputs)
    bias_fits = layer.bias is None or bool((np.abs(layer.bias) <= torch_bound * (1 + 1e-6)).all())
    if bias_fits and _uniform(values, torch_bound):
        return "torch's Linear"
    if not no_bias:
        return ""
    if _uniform(values, math.sqrt(6 / (inputs + outputs))):
        return "Keras' Dense (Glorot uniform)"
    if _uniform(values, math.sqrt(6 / inputs)):
        return "He uniform"
    spreads = {f"normal, {std:g}": std for std in _NORMALS}
    spreads |= {"He normal": math.sqrt(2 / inputs), "Glorot normal": math.sqrt(2 / (inputs + outputs))}
    return next((name for name, std in spreads.items() if _normal(values, std)), "")


def _uniform(values: NDArray[np.float64], bound: float) -> bool:
    inside = bool(np.abs(values).max() <= bound * (1 + 1e-6))
    return inside and _fits(values, np.clip((values / bound + 1) / 2, 0, 1))


def _normal(values: NDArray[np.float64], std: float) -> bool:
    return _fits(values, np.array([0.5 * (1 + math.erf(v / (std * math.sqrt(2)))) for v in values]))


def _fits(values: NDArray[np.float64], expected: NDArray[np.float64]) -> bool:
    """Whether the sorted values can come from the distribution whose cumulative shares are `expected`."""
    count = len(values)
    above = np.arange(1, count + 1) / count - expected
    below = expected - np.arange(count) / count
    return float(max(above.max(), below.max())) * math.sqrt(count) < _CRITICAL


def structure(tensors: Mapping[str, Array]) -> float | None:
    """How unevenly convolutions use their inputs, relative to random weights; the median over the layers.

    1 or less for random weights, also after folding a BatchNorm. None without a convolution of at least 16
    inputs and 1000 numbers.
    """
    found = []
    for tensor in tensors.values():
        if tensor.ndim == 4 and tensor.shape[1] >= _FEWEST_CHANNELS and tensor.size >= _FEWEST_NUMBERS:
            found.append(_unevenness(tensor.astype(np.float64)))
    finite = [value for value in found if math.isfinite(value)]
    return float(np.median(finite)) if finite else None


def _unevenness(tensor: NDArray[np.float64]) -> float:
    rows = np.sqrt((tensor**2).sum(axis=(1, 2, 3), keepdims=True))
    scaled = np.divide(tensor, rows, where=rows > 0, out=np.zeros_like(tensor))
    energy = (scaled**2).sum(axis=(0, 2, 3))
    numbers = tensor.size / tensor.shape[1]
    mean = float(energy.mean())
    return float(energy.std()) / mean / math.sqrt(2 / numbers) if mean else math.nan
