"""The map that a graph ends with is read whatever shape it is exported, split or scaled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness.agent.graph.final_layer import MOST_NUMBERS, final_layer
from harness.agent.graph.multiply_adds import weights

WEIGHT = np.random.default_rng(0).normal(size=(3, 16)).astype(np.float32)
Nodes = tuple[list[Any], dict[str, np.ndarray]]


def graph(nodes: list[Any], tensors: dict[str, np.ndarray], last: str) -> Any:
    """A ReLU before the nodes, which end in `last`."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 16])
    answer = helper.make_tensor_value_info(last, TensorProto.FLOAT, None)
    stored = [numpy_helper.from_array(np.asarray(values, np.float32), name) for name, values in tensors.items()]
    every = [helper.make_node("Relu", ["image"], ["x"]), *nodes]
    return helper.make_model(helper.make_graph(every, "g", [image], [answer], stored))


def read(nodes: list[Any], tensors: dict[str, np.ndarray], last: str = "y") -> np.ndarray | None:
    model = graph(nodes, tensors, last)
    return final_layer(model, weights(model))


node = helper.make_node
GAMMA = np.linspace(0.5, 2, 16).astype(np.float32)
SPLIT = np.random.default_rng(1).normal(size=(3, 3)).astype(np.float32)
SHAPES: dict[str, Callable[[], np.ndarray | None]] = {
    "Gemm": lambda: read([node("Gemm", ["x", "w", "b"], ["y"], transB=1)], {"w": WEIGHT, "b": np.ones(3)}),
    "MatMul, Add and Softmax": lambda: read(
        [node("MatMul", ["x", "w"], ["m"]), node("Add", ["m", "b"], ["a"]), node("Softmax", ["a"], ["y"])],
        {"w": WEIGHT.T, "b": np.ones(3)},
    ),
    "turned while it runs": lambda: read(
        [node("Transpose", ["w"], ["t"], perm=[1, 0]), node("MatMul", ["x", "t"], ["y"])], {"w": WEIGHT}
    ),
    "scaled": lambda: read(
        [node("Gemm", ["x", "w"], ["g"], transB=1), node("Div", ["g", "f"], ["y"])], {"w": WEIGHT * 4, "f": np.array(4)}
    ),
    "split in two": lambda: read(
        [node("Gemm", ["x", "w"], ["g"], transB=1), node("Gemm", ["g", "v"], ["y"], transB=1)],
        {"w": np.linalg.inv(SPLIT) @ WEIGHT, "v": SPLIT},
    ),
    "BatchNorm before it": lambda: read(
        [node("BatchNormalization", ["x", "g", "z", "z", "v"], ["n"], epsilon=0.0),
         node("Gemm", ["n", "w"], ["y"], transB=1)],
        {"g": GAMMA * 2, "z": np.zeros(16), "v": np.full(16, 4), "w": WEIGHT / GAMMA},
    ),
    "a factor for each class": lambda: read(
        [node("Gemm", ["x", "w"], ["g"], transB=1), node("Mul", ["g", "f"], ["y"])],
        {"w": WEIGHT / np.array([[1], [2], [3]]), "f": np.array([1, 2, 3])},
    ),
    "weights that are a sum": lambda: read(
        [node("Add", ["w", "v"], ["s"]), node("MatMul", ["x", "s"], ["y"])], {"w": WEIGHT.T - 1, "v": np.ones((16, 3))}
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_one_map_however_it_is_written(shape: str):
    found = SHAPES[shape]()
    assert found is not None and found.dtype == np.float32
    np.testing.assert_allclose(found, WEIGHT, rtol=1e-4, atol=1e-5)


def test_a_convolution_before_the_pooling_is_the_last_layer():
    nodes = [node("Conv", ["x", "w"], ["c"]), node("GlobalAveragePool", ["c"], ["p"]), node("Flatten", ["p"], ["y"])]
    np.testing.assert_array_equal(read(nodes, {"w": WEIGHT[:, :, None, None]}), WEIGHT)


def test_it_ends_at_the_first_thing_that_is_not_linear():
    nodes = [
        node("Gemm", ["x", "v"], ["h"], transB=1),
        node("Relu", ["h"], ["r"]),
        node("Gemm", ["r", "w"], ["y"], transB=1),
    ]
    np.testing.assert_array_equal(read(nodes, {"v": np.eye(16), "w": WEIGHT}), WEIGHT)


@pytest.mark.parametrize(
    ("nodes", "tensors"),
    [
        ([node("Relu", ["x"], ["y"])], {}),
        ([node("Gemm", ["x", "w"], ["y"], transB=1)], {"w": WEIGHT * np.nan}),
        ([node("Gemm", ["x", "w"], ["y"], transB=1)], {"w": WEIGHT * 0}),
        ([node("Mul", ["x", "w"], ["y"])], {"w": np.ones(5_000_000, np.float32)}),
        ([node("MatMul", ["x", "x"], ["y"])], {}),
    ],
)
def test_what_is_no_layer_is_none(nodes: list[Any], tensors: dict[str, np.ndarray]):
    assert read(nodes, tensors) is None


def test_a_giant_one_is_cut_to_what_is_sent():
    wide = np.ones((4, 2 * MOST_NUMBERS // 4), np.float32)
    found = read([node("Gemm", ["x", "w"], ["y"], transB=1)], {"w": wide})
    assert found is not None and found.size <= MOST_NUMBERS
