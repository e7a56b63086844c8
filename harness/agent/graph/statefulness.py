"""Which operators of an ONNX graph can answer two equal calls differently.

A graph is a pure function of its input except for these: an operator that draws random numbers advances a generator,
seeded or not, and an operator that is not standard ONNX may keep any state.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..models.loaded_model import Unusable
from .onnx_model import STANDARD_DOMAINS, every_node, graphs, live

_RANDOM = frozenset(
    ("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike")
)
_MOST_ELEMENTS = 16  # of a constant that may be a switch; weights are larger
_MOST_NAMED = 20


def stateful_operators(file: Path) -> list[str]:
    """The names of such operators in the ONNX file, sorted, each once, at most 20.

    The graph, its subgraphs (If, Loop, Scan) and the model's functions are searched. Nodes of the main graph that no
    output depends on do not run and are not named; in a subgraph they are named, though they may never run.
    Raises `Unusable` for a file that is not an ONNX model.
    """
    import onnx

    try:
        model = onnx.load_model(str(file), load_external_data=False)
    except Exception as error:  # protobuf's DecodeError, which has no types
        raise Unusable("the ONNX file is damaged") from error
    for tensor in model.graph.initializer:
        if _elements(tensor) > _MOST_ELEMENTS:
            tensor.ClearField("raw_data")  # weights may take half a gigabyte, and `live` copies the model
    return named(model)


def named(model: Any) -> list[str]:
    """As `stateful_operators`, for a loaded model."""
    reached = live(model)
    constants = _constants(reached)
    found = {node.op_type for node in every_node(reached) if _is_stateful(node, constants)}
    found |= {f"{node.domain}.{node.op_type}" for node in every_node(reached) if node.domain not in STANDARD_DOMAINS}
    return sorted(re.sub(r"[^A-Za-z0-9_.]", "?", name)[:60] for name in found)[:_MOST_NAMED]


def _is_stateful(node: Any, constants: dict[str, Any]) -> bool:
    if node.op_type in _RANDOM:
        return True
    switch = _TRAINING.get(node.op_type)
    return switch is not None and switch(node, constants)


def _drops_out(node: Any, constants: dict[str, Any]) -> bool:
    """Whether a Dropout is, or may be, in training mode: its third input (opset 12 on), or `is_test` (opset 6)."""
    if len(node.input) > 2 and node.input[2]:
        value = constants.get(node.input[2])
        return value is None or bool(value.any())
    return any(attribute.name == "is_test" and attribute.i == 0 for attribute in node.attribute)


def _takes_statistics(node: Any, _: dict[str, Any]) -> bool:
    """Whether a BatchNormalization uses the batch's statistics: `training_mode` (opset 14), `is_test` (opset 6)."""
    switches = {attribute.name: attribute.i for attribute in node.attribute}
    return bool(switches.get("training_mode", 0)) or switches.get("is_test", 1) == 0


_TRAINING: dict[str, Callable[[Any, dict[str, Any]], bool]] = {
    "Dropout": _drops_out,
    "BatchNormalization": _takes_statistics,
}


def _constants(model: Any) -> dict[str, Any]:
    """Name -> array of the small constants in the main graph whose names are used for nothing else anywhere."""
    from onnx import numpy_helper

    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in (node for node in model.graph.node if node.op_type == "Constant"):
        stored.update((node.output[0], attribute.t) for attribute in node.attribute if attribute.name == "value")
    elsewhere = {value.name for value in model.graph.input}  # a caller could pass another value
    for inner in graphs(model.graph):
        if inner is not model.graph:
            elsewhere.update(value.name for value in (*inner.input, *inner.initializer))
            elsewhere.update(name for node in inner.node for name in node.output)
    small = {name: tensor for name, tensor in stored.items() if _elements(tensor) <= _MOST_ELEMENTS}
    return {name: numpy_helper.to_array(tensor) for name, tensor in small.items() if name not in elsewhere}


def _elements(tensor: Any) -> int:
    count = 1
    for side in tensor.dims:
        count *= side
    return count
