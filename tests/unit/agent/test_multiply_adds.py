"""Parameters and multiply-adds, against the published counts of well-known networks."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from harness.agent.graph.multiply_adds import parameters, work
from harness.agent.graph.onnx_model import signature
from harness.agent.torchvision_ops import declare_missing

declare_missing()


def exported(model: nn.Module, folder: Path, *, dynamo: bool = False, fold: bool = False) -> Any:
    file = folder / "model.onnx"
    options: dict[str, Any] = (
        {"dynamo": True, "optimize": False, "external_data": False, "verbose": False}
        if dynamo
        else {"dynamo": False, "do_constant_folding": fold}
    )
    torch.onnx.export(model.eval(), (torch.zeros(1, 3, 224, 224),), str(file), **options)
    return onnx.load(file)


def counted(model: Any) -> tuple[int, int, tuple[str, ...]]:
    done = work(model, signature(model), 224, 224)
    return parameters(model), done.multiply_adds, done.uncounted


def test_vgg16(tmp_path: Path) -> None:
    """15.47 G multiply-adds and 138.36 M parameters (torchvision's table: 15.47 GFLOPS)."""
    import torchvision

    count, multiply_adds, uncounted = counted(exported(torchvision.models.vgg16(weights=None), tmp_path))
    assert multiply_adds == pytest.approx(15.47e9, rel=0.001)
    assert count == 138_357_544
    assert uncounted == ()


@pytest.mark.parametrize(("dynamo", "fold"), [(False, False), (False, True), (True, False)])
def test_mobilenet_v2(dynamo: bool, fold: bool, tmp_path: Path) -> None:
    """0.30 G multiply-adds and 3.50 M parameters, whichever exporter; folding removes BatchNorm's own."""
    import torchvision

    model = torchvision.models.mobilenet_v2(weights=None)
    count, multiply_adds, _ = counted(exported(model, tmp_path, dynamo=dynamo, fold=fold))
    assert multiply_adds == pytest.approx(0.30e9, rel=0.01)
    assert count == pytest.approx(3_504_872, rel=0.01)
    if not fold:
        assert count == 3_504_872


def test_a_transposed_convolution_and_a_plain_product(tmp_path: Path) -> None:
    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.ConvTranspose2d(3, 5, 2, stride=2, bias=False)
            self.weight = nn.Parameter(torch.ones(5, 7))

        def forward(self, x: Any) -> Any:
            return self.up(x).mean((2, 3)) @ self.weight

    count, multiply_adds, _ = counted(exported(Both(), tmp_path))
    assert count == 3 * 5 * 4 + 35
    assert multiply_adds == 3 * 224 * 224 * 5 * 4 + 5 * 7


def test_what_cannot_be_counted_is_named() -> None:
    node = onnx.helper.make_node("GridSample", ["x", "grid"], ["y"])
    grid = onnx.numpy_helper.from_array(np.zeros((1, 4, 4, 2), np.float32), "grid")
    x, y = (onnx.helper.make_tensor_value_info(n, 1, s) for n, s in (("x", (1, 3, 224, 224)), ("y", (1, 3, 4, 4))))
    graph = onnx.helper.make_graph([node], "g", [x], [y], [grid])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10)
    assert counted(model)[2] == ("GridSample",)


def test_equal_tensors_that_are_stored_once_are_counted_each(tmp_path: Path) -> None:
    """The tracing exporter stores equal biases once; the layers have them twice."""
    one = nn.Conv2d(3, 4, 1)
    nn.init.zeros_(one.bias)
    two = nn.Conv2d(4, 4, 1)
    nn.init.zeros_(two.bias)
    model = nn.Sequential(one, two, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert counted(exported(copy.deepcopy(model), tmp_path))[0] == sum(p.numel() for p in model.parameters())
