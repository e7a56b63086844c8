"""Which layer each vector belongs to, and which layers stand beside a backbone or before it.

A head sees the image through the backbone. A layer that sees the image through hardly any of it belongs to another
network, whatever its size: a head may have more parameters than the backbone below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from .backbone_path import SAME_NUMBERS, image_dependent
from .operators import FACTORS

_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN")
_BEHIND = 0.25  # share of a backbone's layers through which a layer behind it sees the image


@dataclass(frozen=True, slots=True)
class Layout:
    """Names of tensors. `owner`: vector -> the weight of the layer whose output it changes."""

    owner: dict[str, str]
    beside: tuple[str, ...]  # weights that are applied to the image, or to what hardly any of the backbone made of it
    folded: frozenset[str]  # biases of layers with no BatchNorm behind them


def layout(model: Any, weights: Mapping[str, NDArray[Any]], backbone: set[str], input: str) -> Layout:
    """The layout of a live graph. `backbone`: the names of the weights that come from one; `input`: the image's."""
    nodes = list(model.graph.node)
    seen = image_dependent(model, input)
    carried = {name: name for name, tensor in weights.items() if tensor.size > max(tensor.shape, default=0)}
    bits = {name: 1 << place for place, name in enumerate(sorted(backbone))}
    of, through = dict[str, str](), dict[str, int]()
    owner, beside, biases = dict[str, str](), list[tuple[str, int]](), dict[str, str]()
    normalised = set[str]()
    for node in nodes:
        if node.op_type in SAME_NUMBERS and node.input[0] in carried:
            carried[node.output[0]] = carried[node.input[0]]
        data = [name for name in node.input if name in seen]
        if not data:
            continue
        passed = 0
        for name in data:
            passed |= through.get(name, 0)
        applied = [carried[name] for name in node.input if name in carried] if node.op_type in _LAYERS else []
        for weight in applied:
            if weight not in backbone:
                beside.append((weight, passed))
            passed |= bits.get(weight, 0)
        own = applied[0] if applied else next((of[name] for name in data if name in of), "")
        for name in node.input:
            if name in weights and name not in carried:
                owner.setdefault(name, own)
                if node.op_type.startswith("Conv") or node.op_type == "Add":
                    biases[name] = own
        if node.op_type == "BatchNormalization":
            normalised.add(own)
        for name in node.output:
            through[name] = passed
            if own:
                of[name] = own
    there = set(carried.values()) & backbone
    enough = _BEHIND * len(there)
    return Layout(
        owner,
        tuple(dict.fromkeys(weight for weight, passed in beside if passed.bit_count() < enough)),
        frozenset(name for name, own in biases.items() if own not in normalised),
    )


def unread_layers(model: Any, weights: Mapping[str, NDArray[Any]], input: str) -> int:
    """How many layers multiply the image with weights whose numbers are not among `weights`."""
    seen = image_dependent(model, input)
    carried = set(weights)
    count = 0
    for node in model.graph.node:
        if node.op_type in SAME_NUMBERS and node.input[0] in carried:
            carried.update(node.output)
        if node.op_type in FACTORS and any(node.input[place] in seen for place in FACTORS[node.op_type]):
            given = [node.input[place] for place in FACTORS[node.op_type]]
            count += any(name not in seen and name not in carried for name in given)
    return count
