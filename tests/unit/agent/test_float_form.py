"""Stored integers are read as the numbers that they stand for, in every version of ONNX that quantisers write."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness.agent.graph.float_form import float_form
from harness.agent.graph.multiply_adds import weights

STORED = np.random.default_rng(0).integers(-120, 120, (4, 3, 3, 3)).astype(np.int8)
BIAS = np.arange(4, dtype=np.int32)


def quantised(opset: int, by_channel: bool) -> onnx.ModelProto:
    """A convolution whose weights and bias are stored as integers and scaled in the graph."""
    scale = np.array([0.02, 0.03, 0.04, 0.05] if by_channel else 0.02, np.float32)
    zero = np.zeros(scale.shape, np.int8)
    axis = {"axis": 0} if by_channel else {}
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "scale", "zero"], ["weight"], **axis),
        helper.make_node("DequantizeLinear", ["b", "scale"], ["bias"], **axis),
        helper.make_node("Conv", ["image", "weight", "bias"], ["answer"]),
    ]
    constants = {"w": STORED, "b": BIAS, "scale": scale, "zero": zero}
    graph = helper.make_graph(
        nodes,
        "quantised",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ("n", 3, 8, 8))],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, ("n", 4, 6, 6))],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    return model


@pytest.mark.parametrize(
    ("opset", "by_channel"),
    [(10, False), (11, False), (12, False)]
    + [(opset, by_channel) for opset in (13, 14, 15, 16, 17, 18, 19, 20, 21) for by_channel in (False, True)],
)
@pytest.mark.parametrize("domain", ["", "ai.onnx"])
def test_weights_of_integers_become_numbers_with_their_steps(opset: int, by_channel: bool, domain: str):
    given = quantised(opset, by_channel)
    given.opset_import[0].domain = domain
    model, steps = float_form(given)
    assert [node.op_type for node in model.graph.node] == ["Conv"]
    scale = np.array([0.02, 0.03, 0.04, 0.05] if by_channel else [0.02] * 4, np.float32)
    held = weights(model)
    np.testing.assert_allclose(held["weight"], STORED * scale[:, None, None, None], rtol=1e-6)
    np.testing.assert_allclose(held["bias"], BIAS * scale, rtol=1e-6)
    expected = np.broadcast_to(scale[:, None, None, None], STORED.shape)
    np.testing.assert_allclose(steps["weight"], expected, rtol=1e-4)
    assert model.opset_import[0].version == opset
