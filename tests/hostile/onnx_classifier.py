"""A tiny ONNX classifier, of which other graphs are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

CLASSES = 3
SIDE = 32


def head(seed: int = 0) -> np.ndarray:
    """A head's weights, (3, CLASSES): colour means to logits."""
    return (np.eye(3, CLASSES) * 20 + np.random.default_rng(seed).normal(0, 1, (3, CLASSES))).astype(np.float32)


def classifier(
    *,
    batch: object = "batch",
    dtype: int = TensorProto.FLOAT,
    before: list[Any] = [],  # noqa: B006
    after: list[Any] = [],  # noqa: B006
    output: str = "logits",
    initializers: list[Any] = [],  # noqa: B006
    opset: int = 17,
    extra_inputs: list[Any] = [],  # noqa: B006
    imports: list[Any] = [],  # noqa: B006
    functions: list[Any] = [],  # noqa: B006
    seed: int = 0,
    out_type: int = TensorProto.FLOAT,
    extra_outputs: list[Any] = [],  # noqa: B006
    shape: list[object] | None = None,
) -> Any:
    """The mean colour through one linear layer; `before` takes `image` to `pixels`, `after` takes `logits` on."""
    nodes = [*before]
    if not before:
        nodes.append(helper.make_node("Identity", ["image"], ["pixels"]))
    nodes += [
        helper.make_node("ReduceMean", ["pixels"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "head"], ["logits"]),
        *after,
    ]
    image = helper.make_tensor_value_info("image", dtype, shape or [batch, 3, SIDE, SIDE])
    answer = helper.make_tensor_value_info(output, out_type, None)
    graph = helper.make_graph(
        nodes, "g", [image, *extra_inputs], [answer, *extra_outputs],
        [numpy_helper.from_array(head(seed), "head"), *initializers],
    )  # fmt: skip
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset), *imports], functions=functions, ir_version=8
    )
    return model


def save(model: Any, file: Path) -> None:
    file.write_bytes(model.SerializeToString())


def scalar(name: str, value: Any, dtype: Any = np.float32) -> Any:
    return numpy_helper.from_array(np.array(value, dtype), name)
