"""Weights that lie in a file, or in a branch without effect, are not what the answers rest on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.agent.ablation import rests_on
from harness.agent.multiply_adds import weights
from harness.agent.onnx_model import live, signature

torch = pytest.importorskip("torch")


class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
    """`share` of the carried branch enters the answer."""

    def __init__(self, share: float | None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.own = torch.nn.Conv2d(3, 8, 3)
        self.carried = torch.nn.Conv2d(3, 8, 5)
        self.head = torch.nn.Linear(8, 4)
        self.share = share

    def forward(self, x: Any) -> Any:
        own = self.own(x).relu().mean((2, 3))
        if self.share is not None:
            own = own + self.share * self.carried(x).relu().mean((2, 3))
        return self.head(own)


def exported(share: float | None, folder: Path) -> Any:
    import onnx

    file = folder / "model.onnx"
    torch.onnx.export(Net(share).eval(), (torch.zeros(1, 3, 16, 16),), str(file), dynamo=False, input_names=["x"])
    return onnx.load(str(file))


@pytest.mark.parametrize(("share", "used"), [(1.0, True), (1e-6, False), (0.0, False)])
def test_a_branch_counts_as_far_as_the_answers_follow_it(share: float, used: bool, tmp_path: Path) -> None:
    model = live(exported(share, tmp_path))
    name = next(n for n, t in weights(model).items() if t.shape == (8, 3, 5, 5))
    batch = np.random.default_rng(0).normal(0, 1, (6, 3, 16, 16)).astype(np.float32)
    assert rests_on(model, [name], signature(model).input, batch, False, 1) is used


def test_a_node_that_leads_nowhere_is_not_looked_at(tmp_path: Path) -> None:
    import onnx

    model = exported(None, tmp_path)
    kernel = onnx.numpy_helper.from_array(np.ones((8, 3, 5, 5), np.float32), "decoy")
    model.graph.initializer.append(kernel)
    model.graph.node.append(onnx.helper.make_node("Conv", ["x", "decoy"], ["nowhere"]))
    assert "decoy" in weights(model) and "decoy" not in weights(live(model))
    assert len(live(model).graph.node) == len(model.graph.node) - 1
