"""What `benchmark` and `train` get out of a sandbox is bounded and checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import context, conversion, npy, order, predictions, staged

from harness.inputs.assignment.sections import BenchmarkRules, ReferenceSolution
from harness.sandbox.engine import Job
from harness.stages.benchmark import benchmark
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.latency_statistics import nearest_rank
from harness.stages.store import Store
from harness.stages.train import train

ROWS = np.asarray([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.3, 0.3, 0.4]], np.float32)

TIMED: dict[str, Any] = {
    "processes": {"model": [4, 4], "reference": [2, 2]},
    "answers": {"model": {"inputs": [0, 1], "counts": [4, 4]}, "reference": {"inputs": [0], "counts": [4]}},
    "stateful": {"model": [], "reference": []},
    "peak_memory_bytes": {"model": 10**8, "reference": 10**8},
    "warm_up_seconds": 1.0,
    "images": 2,
    "engine": "onnxruntime 1.30.0 CPU",
}


def benchmarked(
    tmp_path: Path, files: dict[str, bytes] | Callable[[Job], dict[str, bytes]] | None = None, **changes: Any
) -> Any:
    def sent(job: Job) -> dict[str, bytes]:
        return {
            "benchmark.json": json.dumps(TIMED | changes).encode(),
            "latencies-model.npy": npy(np.full(8, 10, np.float32)),
            "latencies-reference.npy": npy(np.full(4, 5, np.float32)),
            "processor-model.npy": npy(np.full(8, 10, np.float32)),
            "processor-reference.npy": npy(np.full(4, 5, np.float32)),
            "answers-low-model.npy": npy(ROWS[order(job)][:2]),
            "answers-high-model.npy": npy(ROWS[order(job)][:2]),
        } | ((files(job) if callable(files) else files) or {})

    place = context(tmp_path, sent)
    model = conversion(place.store, tmp_path)
    kept = predictions(place.store, tmp_path, ROWS)
    return benchmark(model, model, kept, staged(tmp_path), BenchmarkRules(), place)


def test_a_benchmark_as_agreed(tmp_path: Path) -> None:
    result = benchmarked(tmp_path)
    assert isinstance(result, Done)
    assert result.value.ratio == pytest.approx(2.0)
    assert result.value.ratio_interval == pytest.approx(
        (2 / 1.02, 2 * 1.02)
    )  # all pairs alike; what they share is left
    assert result.value.model.throughput_per_s == pytest.approx(100)
    assert result.value.outputs_agree
    assert [f.code for f in result.findings] == ["benchmark-unsteady"]  # 8 queries of 64


@pytest.mark.parametrize("end", ["low", "high"])
def test_other_answers_than_before_are_noticed(end: str, tmp_path: Path) -> None:
    """Half of them, to one of two images; the other half was right."""

    def one_is_another(job: Job) -> dict[str, bytes]:
        rows = ROWS[order(job)][:2].copy()
        rows[1] = np.roll(rows[1], 1)
        return {f"answers-{end}-model.npy": npy(rows)}

    result = benchmarked(tmp_path, one_is_another)
    assert isinstance(result, Done) and not result.value.outputs_agree
    assert (result.value.answers.checked, result.value.answers.different) == (8, 4)
    assert "benchmark-outputs-differ" in [f.code for f in result.findings]


def test_a_model_that_may_keep_a_state_is_named(tmp_path: Path) -> None:
    result = benchmarked(tmp_path, stateful={"model": ["RandomNormal"], "reference": []})
    assert isinstance(result, Done) and result.value.stateful_operators == ("RandomNormal",)
    (said,) = [f.message for f in result.findings if f.code == "stateful-model"]
    assert "RandomNormal" in said


@pytest.mark.parametrize(
    ("files", "changes"),
    [
        ({"latencies-model.npy": npy(np.zeros(8, np.float32))}, {}),
        ({"latencies-model.npy": npy(np.full(8, np.nan, np.float32))}, {}),
        ({"latencies-model.npy": npy(np.full(9, 1, np.float32))}, {}),
        ({"processor-model.npy": npy(np.zeros(8, np.float32))}, {}),
        ({"processor-reference.npy": npy(np.full(4, np.inf, np.float32))}, {}),
        ({"processor-reference.npy": npy(np.full(3, 1, np.float32))}, {}),
        ({"answers-low-model.npy": npy(ROWS)}, {}),
        ({}, {"images": 5}),
        ({}, {"images": 0}),
        ({}, {"names": ["other.png"]}),
        ({}, {"answers": {"model": {"inputs": [0, 2], "counts": [4, 4]}, "reference": {"inputs": [0], "counts": [4]}}}),
        ({}, {"answers": {"model": {"inputs": [0, 1], "counts": [4, 3]}, "reference": {"inputs": [0], "counts": [4]}}}),
        (
            {},
            {"answers": {"model": {"inputs": [0, 1], "counts": [9, -1]}, "reference": {"inputs": [0], "counts": [4]}}},
        ),
        ({}, {"answers": {"model": {"inputs": [0, 1], "counts": [8]}, "reference": {"inputs": [0], "counts": [4]}}}),
        ({}, {"answers": {"reference": {"inputs": [0], "counts": [4]}}}),
        ({}, {"stateful": {"model": ["<b>"], "reference": []}}),
        ({}, {"processes": {"model": [8]}}),
        ({}, {"processes": {"model": [8], "reference": [4]}}),
        ({}, {"processes": {"model": [4, 4], "reference": [4]}}),
        ({}, {"processes": {"model": [4, -4], "reference": [2, 2]}}),
        ({}, {"processes": {"model": [1] * 6 + [2], "reference": [1] * 7}}),
        ({}, {"engine": "<b>fast</b>"}),
        ({"refused.json": b'{"reason": "it died"}'}, {}),
    ],
)
def test_a_benchmark_that_is_not_as_agreed(files: dict[str, bytes], changes: dict[str, Any], tmp_path: Path) -> None:
    result = benchmarked(tmp_path, files, **changes)
    assert isinstance(result, Failed) and result.status == "rejected"
    assert [f.code for f in result.findings] == ["benchmark-failed"]


def test_a_model_that_is_not_onnx_is_not_timed(tmp_path: Path) -> None:
    place = context(tmp_path, {})
    native = conversion(place.store, tmp_path, native=True)
    kept = predictions(place.store, tmp_path, ROWS)
    assert isinstance(benchmark(native, None, kept, staged(tmp_path), BenchmarkRules(), place), Skipped)


def test_percentiles_are_nearest_ranks() -> None:
    latencies = np.arange(1, 101, dtype=np.float32)
    assert [nearest_rank(latencies, p) for p in (50, 90, 99)] == [50, 90, 99]
    assert nearest_rank(np.asarray([7.0], np.float32), 99) == 7


def test_a_reference_that_writes_no_labels_is_said(tmp_path: Path) -> None:
    place = context(tmp_path, {"model.onnx": b"x", "handin.json": b"{}"})
    spec = ReferenceSolution(code=tmp_path / "transfer.py")
    result = train(spec, tmp_path, tmp_path / "w.pth", place)
    assert isinstance(result, Failed) and "labels.txt" in result.reason


def test_a_trained_reference_is_kept(tmp_path: Path) -> None:
    place = context(tmp_path, {name: name.encode() for name in ("model.onnx", "labels.txt", "handin.json")})
    result = train(ReferenceSolution(code=tmp_path / "transfer.py"), tmp_path, tmp_path / "w.pth", place)
    assert isinstance(result, Done)
    assert Store(tmp_path / "store").path(result.value.labels).read_bytes() == b"labels.txt"
