"""A timing that other programs disturbed is void and done once more."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import LABELS, NAMES, Sends, conversion, npy, predictions, staged

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import BenchmarkRules
from harness.sandbox.engine import Job, Outcome
from harness.stages.benchmark import benchmark, disturbed
from harness.stages.context import StageContext
from harness.stages.evidence.benchmark import Benchmark, Latency
from harness.stages.evidence.stage_result import Done
from harness.stages.store import Store

CORES = os.cpu_count() or 1
ROWS = np.full((len(NAMES), len(LABELS)), 1 / len(LABELS), np.float32)
BLOCKS, IN_BLOCK = 16, 4


def latencies(unsteady: bool) -> np.ndarray:
    """16 blocks of 4 queries; where unsteady, the time of each block is another."""
    blocks = np.linspace(4, 16, BLOCKS) if unsteady else np.full(BLOCKS, 10)
    return np.repeat(blocks, IN_BLOCK).astype(np.float32)


def timing(unsteady: bool = False) -> dict[str, bytes]:
    """What the agent sends."""
    said = {
        "blocks": {"model": [IN_BLOCK] * BLOCKS, "reference": [IN_BLOCK] * BLOCKS},
        "answers": {role: {"inputs": [0], "counts": [BLOCKS * IN_BLOCK]} for role in ("model", "reference")},
        "stateful": {"model": [], "reference": []},
        "peak_memory_bytes": {"model": 10**8, "reference": 10**8},
        "warm_up_seconds": 1.0,
        "images": 2,
        "cpus": 1,
        "engine": "onnxruntime 1.30.0 CPU",
    }
    return {
        "benchmark.json": json.dumps(said).encode(),
        "latencies-model.npy": npy(latencies(unsteady)),
        "latencies-reference.npy": npy(latencies(False)),
        "answers-low-model.npy": npy(ROWS[:1]),
        "answers-high-model.npy": npy(ROWS[:1]),
    }


@dataclass
class InTurn(Sends):
    """Answers each job with the next of several."""

    turns: Sequence[Mapping[str, bytes]] = ()
    statuses: Sequence[str] = ()
    done: int = field(default=0)

    def run(self, job: Job, outputs: Path) -> Outcome:
        self.files = self.turns[self.done]
        outcome = replace(super().run(job, outputs), cpu_seconds=None)
        status: Any = self.statuses[self.done] if self.statuses else "ok"
        self.done += 1
        return replace(outcome, status=status)


def timed(folder: Path, engine: InTurn) -> Any:
    place = StageContext(engine, Store(folder / "store"), ResourceLimits())
    model = conversion(place.store, folder)
    return benchmark(
        model, model, predictions(place.store, folder, ROWS), staged(folder), BenchmarkRules(min_seconds=0), place
    )


def codes(result: Any) -> list[str]:
    return [found.code for found in result.findings]


def test_a_steady_timing_is_done_once(tmp_path: Path) -> None:
    engine = InTurn({}, turns=[timing(), timing()])
    result = timed(tmp_path, engine)
    assert isinstance(result, Done) and codes(result) == []
    assert engine.done == 1


def test_a_disturbed_timing_is_void_and_its_repetition_counts(tmp_path: Path) -> None:
    engine = InTurn({}, turns=[timing(unsteady=True), timing()])
    result = timed(tmp_path, engine)
    assert isinstance(result, Done) and codes(result) == []
    assert engine.done == 2
    assert result.value.ratio_interval == (1.0, 1.0)


def test_disturbed_again_it_is_said(tmp_path: Path) -> None:
    engine = InTurn({}, turns=[timing(unsteady=True)] * 3)
    result = timed(tmp_path, engine)
    assert engine.done == 2
    assert codes(result) == ["benchmark-unsteady"]
    assert "repeated" in result.findings[0].message


def test_a_repetition_that_fails_takes_nothing_away(tmp_path: Path) -> None:
    engine = InTurn({}, turns=[timing(unsteady=True), {}], statuses=["ok", "timeout"])
    result = timed(tmp_path, engine)
    assert isinstance(result, Done) and codes(result) == ["benchmark-unsteady"]


def measured(ratio: float | None, interval: tuple[float, float] | None) -> Benchmark:
    latency = Latency(p50_ms=10, p90_ms=11, p99_ms=12, throughput_per_s=100, queries=64, peak_memory_bytes=10**8)
    return Benchmark(
        engine="onnxruntime", model=latency, reference=latency if ratio else None, ratio=ratio,
        ratio_interval=interval, cpus=1, threads=1, warm_up_seconds=1, outputs_agree=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("taken", "interval", "says"),
    [
        (0.0, (0.95, 1.05), ""),
        (0.1, (0.95, 1.05), ""),
        (None, (0.95, 1.05), ""),
        (0.5, (0.95, 1.05), "other programs took"),
        (0.0, (0.8, 1.2), "lies between 0.80 and 1.20"),
        (None, None, ""),
        (0.5, None, "other programs took"),
    ],
)
def test_what_disturbs(taken: float | None, interval: tuple[float, float] | None, says: str) -> None:
    """`taken`: the share of all cores that other programs had."""
    left = None if taken is None else CORES * (1 - taken)
    reason = disturbed(measured(1.0 if interval else None, interval), left)
    assert says in reason and bool(reason) == bool(says)
