"""Kernels as an engine fuses them: counts against published figures, fusion rule by rule, unknown operators named."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from harness.agent.models.loaded_model import Unusable
from harness.agent.phases.kernels import listed
from harness.agent.torchvision_ops import declare_missing
from harness.stages.evidence.kernels import KernelList

declare_missing()


def exported(model: nn.Module, side: int = 32) -> Any:
    buffer = io.BytesIO()
    torch.onnx.export(model.eval(), (torch.zeros(1, 3, side, side),), buffer, dynamo=False)
    return onnx.load_from_string(buffer.getvalue())


def kernels(model: nn.Module, side: int = 32) -> KernelList:
    return KernelList.model_validate(listed(exported(model, side), side, side))


@pytest.mark.parametrize(
    ("name", "giga", "count"),
    [("mobilenet_v2", 0.3008, 54), ("resnet18", 1.814, 23), ("squeezenet1_1", 0.349, 38)],
)
def test_multiply_adds_are_the_published_ones(name: str, giga: float, count: int) -> None:
    """torchvision's table: MobileNetV2 0.30, ResNet-18 1.81, SqueezeNet 1.1 0.35 G multiply-adds."""
    import torchvision

    found = kernels(getattr(torchvision.models, name)(weights=None), 224)
    assert found.multiply_adds == pytest.approx(giga * 1e9, rel=0.002)
    assert len(found.kernels) == count
    assert found.unknown == {}


def test_a_convolution_takes_its_norm_activation_and_residual_along() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU())
            self.second = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Any) -> Any:
            return torch.relu(self.second(self.first(x)) + x)

    found = kernels(Residual())
    assert [kernel.kind for kernel in found.kernels] == ["convolution", "convolution"]
    last = found.kernels[1]
    assert last.inputs == 2 * 3 * 32 * 32 and last.outputs == 3 * 32 * 32 and last.weights == 3 * 3 * 9 + 3
    assert last.operations == 2 * 3 * 32 * 32 * 27


def test_silu_is_part_of_the_convolution() -> None:
    """x * sigmoid(x) reads x twice, and still nobody else needs it."""
    found = kernels(nn.Sequential(nn.Conv2d(3, 4, 1), nn.SiLU()))
    assert [(kernel.kind, kernel.outputs) for kernel in found.kernels] == [("pointwise", 4 * 32 * 32)]


def test_what_others_read_too_is_not_fused() -> None:
    class Branch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.after = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)

        def forward(self, x: Any) -> Any:
            y = self.conv(x)
            return torch.relu(y).mean((2, 3)) + self.after(y).mean((2, 3))

    kinds = [kernel.kind for kernel in kernels(Branch()).kernels]
    assert sorted(kinds) == ["convolution", "convolution", "elementwise", "elementwise", "pool", "pool"]


def test_depthwise_grouped_and_transposed_are_told_apart() -> None:
    model = nn.Sequential(nn.Conv2d(3, 3, 3, groups=3), nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, groups=2))
    assert [kernel.kind for kernel in kernels(model).kernels] == ["depthwise", "pointwise", "grouped"]


def test_layout_changes_views_and_shape_arithmetic_cost_nothing() -> None:
    class Shuffled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

        def forward(self, x: Any) -> Any:
            y = self.conv(x).permute(0, 2, 3, 1).permute(0, 3, 1, 2).mean((2, 3))
            return self.head(y.reshape(x.shape[0], -1))

    assert [kernel.kind for kernel in kernels(Shuffled()).kernels] == ["convolution", "pool", "dense"]


def test_unknown_operators_are_named_and_not_nothing() -> None:
    nodes = [
        helper.make_node("Det", ["square"], ["det"]),
        helper.make_node("Conv", ["x", "w"], ["y"]),
        helper.make_node("Reshape", ["y", "shape"], ["square"]),
    ]
    nodes = [nodes[1], nodes[2], nodes[0]]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("det", TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(np.ones((1, 3, 1, 1), np.float32), "w"),
            numpy_helper.from_array(np.array([1, 8, 8], np.int64), "shape"),
        ],
    )
    found = KernelList.model_validate(
        listed(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), 8, 8)
    )
    assert found.unknown == {"Det": 1}
    (unknown,) = [kernel for kernel in found.kernels if kernel.kind == "unknown"]
    assert unknown.operations > 0 and unknown.inputs == 64


def test_a_lying_shape_in_the_file_is_not_believed() -> None:
    model = exported(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)))
    lie = helper.make_tensor_value_info(model.graph.node[0].output[0], TensorProto.FLOAT, [1, 4, 2, 2])
    model.graph.value_info.append(lie)
    found = KernelList.model_validate(listed(model, 32, 32))
    assert found.multiply_adds == 30 * 30 * 4 * 27 + 28 * 28 * 4 * 36


def test_a_model_without_a_image_is_refused() -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 10])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])],
    )
    with pytest.raises(Unusable, match="2 dimensions"):
        listed(helper.make_model(graph), 32, 32)


def _network(*before: Any, constants: tuple[Any, ...] = ()) -> Any:
    """Two convolutions and a layer, behind nodes that make `p` of `image`."""
    rng = np.random.default_rng(0)
    weights = {"w1": (16, 3, 3, 3), "w2": (16, 16, 3, 3), "w3": (16, 5)}
    nodes = [
        *before,
        helper.make_node("Conv", ["p" if before else "image", "w1"], ["a"], pads=[1] * 4),
        helper.make_node("Conv", ["a", "w2"], ["b"], pads=[1] * 4),
        helper.make_node("GlobalAveragePool", ["b"], ["c"]),
        helper.make_node("Flatten", ["c"], ["d"]),
        helper.make_node("MatMul", ["d", "w3"], ["answer"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["b", 3, 32, 32])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, None)],
        [
            *(numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), n) for n, shape in weights.items()),
            *(numpy_helper.from_array(array, name) for name, array in constants),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


WHOLE_NUMBERS = {
    "quantised": (
        [
            helper.make_node("QuantizeLinear", ["image", "s", "z"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "s", "z"], ["p"]),
        ],
        (("s", np.float32(0.02)), ("z", np.uint8(128))),
    ),
    "counted in": (
        [
            helper.make_node("Cast", ["image"], ["i"], to=TensorProto.INT32),
            helper.make_node("Mul", ["i", "one"], ["j"]),
            helper.make_node("Cast", ["j"], ["p"], to=TensorProto.FLOAT),
        ],
        (("one", np.int32(1)),),
    ),
}


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
def test_a_network_behind_whole_numbers_that_come_of_the_image_is_not_free(name: str) -> None:
    before, constants = WHOLE_NUMBERS[name]
    plain = KernelList.model_validate(listed(_network(), 32, 32))
    hidden = KernelList.model_validate(listed(_network(*before, constants=constants), 32, 32))
    assert hidden.multiply_adds == plain.multiply_adds > 0
    assert hidden.not_listed == ()


def test_a_network_that_is_nearly_nothing_for_a_black_image_is_named() -> None:
    """Its batch is as large as the image asks for; shapes are seen on a black one."""
    before = [
        helper.make_node("ReduceMax", ["image"], ["m"], keepdims=0),
        helper.make_node("Ceil", ["m"], ["u"]),
        helper.make_node("Cast", ["u"], ["end"], to=TensorProto.INT64),
        helper.make_node("Unsqueeze", ["end", "zero"], ["ends"]),
        helper.make_node("Slice", ["image", "zero", "ends", "zero"], ["p"]),
    ]
    found = KernelList.model_validate(listed(_network(*before, constants=(("zero", np.array([0], np.int64)),)), 32, 32))
    assert "Slice" in found.not_listed


def test_a_layer_in_an_operator_that_is_not_counted_is_named() -> None:
    before = [helper.make_node("Einsum", ["image", "e"], ["p"], equation="bchw,cd->bdhw")]
    found = KernelList.model_validate(
        listed(_network(*before, constants=(("e", np.ones((3, 3), np.float32)),)), 32, 32)
    )
    assert found.not_listed == ("Einsum",)


def test_a_producers_name_makes_no_other_format_of_a_graph() -> None:
    """`ORTM` as its fifth to eighth byte: ONNX Runtime would look for a network of another format in the same bytes."""
    from harness.agent.graph.onnx_running import open_model, run_model
    from harness.agent.graph.shapes import _seen

    model = _network()
    model.producer_name = "ORTM of old"
    assert model.SerializeToString()[4:8] == b"ORTM"
    shapes, _ = _seen(model, ["b"], "image", (1, 3, 32, 32), "float32")
    assert shapes == {"b": (1, 16, 32, 32)}
    (answer,) = run_model(open_model(model, 1), None, {"image": np.zeros((1, 3, 32, 32), np.float32)})
    assert answer.shape == (1, 5)
