"""`harness bench` counts latencies of right answers only: MLPerf's TEST01 and TEST04, on real models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from model_files import CLASSES
from silent import Silent

from harness.bench import boards
from harness.bench.measure import measure
from harness.bench.request import Request
from harness.bench.results import BenchResults, Measurement
from harness.bench.rules import SCENARIOS, Effort
from harness.sandbox.bubblewrap import Bubblewrap

SHORT = Effort("quick", 0.3, 1, 1, 0.1)

MODEL_PY = """
import time
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.head = nn.Linear(3, classes)
        self.seen, self.calls = {}, 0

    def forward(self, x):
        BODY

    def honest(self, x):
        return self.head(x.mean([2, 3]))

def build_model(num_classes):
    torch.manual_seed(0)
    return Model(num_classes)
"""
# On 20 ms of work a memory saves everything, and counting to 40 leaves the checks of the conversion alone.
REMEMBERS = """
        key = hash(x.numpy().tobytes())
        if key not in self.seen:
            time.sleep(0.02)
            self.seen[key] = self.honest(x)
        return self.seen[key]
"""
CHANGES = """
        self.calls += 1
        return self.honest(x) if self.calls < 40 or self.calls % 3 else self.honest(x).flip(1)
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def measured(model: Path) -> Measurement:
    request = Request(
        models=(model,), reference=None, images=None, scenario=SCENARIOS["single-stream"], effort=SHORT,
        engines=("torch",), precisions=("fp32",), mode="model-only", cores=1,
        boards=[boards.load("jetson-nano-2gb"), boards.load("jetson-nano-4gb")],
    )  # fmt: skip
    found: BenchResults = measure(request, Bubblewrap(), Silent())
    (one,) = found.measurements
    return one


def model(folder: Path, body: str) -> Path:
    """A state dict with a model.py beside it."""
    import torch

    source = MODEL_PY.replace("        BODY\n", body)
    made: dict[str, Any] = {}
    exec(source, made)
    torch.save(made["build_model"](len(CLASSES)).state_dict(), folder / "model.pt")
    (folder / "model.py").write_text(source)
    (folder / "labels.txt").write_text("\n".join(CLASSES))
    return folder / "model.pt"


@pytest.mark.alone  # it compares times
def test_a_model_that_remembers_its_inputs_is_not_valid(tmp_path: Path) -> None:
    """TEST04. Its answers are right, all of them."""
    one = measured(model(tmp_path, REMEMBERS))
    assert one.answers is not None and one.answers.different == 0 and one.answers.checked == one.queries
    assert not one.valid and any("it remembers" in note for note in one.notes)


def test_a_model_that_is_wrong_in_between_is_not_valid(tmp_path: Path) -> None:
    """TEST01, on noise."""
    one = measured(model(tmp_path, CHANGES))
    assert one.answers is not None and one.answers.checked == one.queries
    assert one.answers.different == pytest.approx(one.queries / 3, rel=0.2)
    assert not one.valid and any("not those that it gave before" in note for note in one.notes)
