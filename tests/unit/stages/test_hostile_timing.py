"""What the phases `timing` and `precision` send is bounded and checked, as everything from a sandbox is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import LABELS, context, conversion, npy, predictions, staged

from harness.errors import MachineError
from harness.stages.evidence.stage_result import Done, Failed
from harness.stages.precision import in_precision
from harness.stages.timing import Budget, Setting, Subject, time_round

ROWS = np.full((4, len(LABELS)), 1 / 3, np.float32)
TIMED: dict[str, Any] = {
    "engine": "onnxruntime 1.32.0 CPU",
    "queries": 3,
    "started": 10.0,
    "ended": 10.5,
    "cpu_seconds": 0.4,
    "missed": 0,
    "warm_up_seconds": 1.0,
    "peak_memory_bytes": 10**8,
    "handover_ms": None,
    "images": 2,
    "asked": [[0], [1]],
    "answers": {"inputs": [0, 1], "counts": [2, 1]},
    "stateful": [],
    "repeated": None,
}
SETTING = Setting("cpu", "fp32", "model-only", 1, None, Budget(1, 64, 3), 0.1, (0,))


def timed(folder: Path, files: dict[str, bytes] | None = None, status: str = "ok", **changes: Any) -> Any:
    sent = {
        "timing.json": json.dumps(TIMED | changes).encode(),
        "latencies.npy": npy(np.asarray([1, 2, 3], np.float32)),
        "answers-low.npy": npy(ROWS[:2]),
        "answers-high.npy": npy(ROWS[:2]),
    }
    place = context(folder, sent | (files or {}), status)
    model = conversion(place.store, folder)
    return time_round(Subject(model, {}), SETTING, staged(folder), predictions(place.store, folder, ROWS), place)


def test_a_round_as_agreed(tmp_path: Path) -> None:
    result = timed(tmp_path)
    assert isinstance(result, Done)
    assert result.value.latencies_ms == (1, 2, 3) and result.value.answers.checked == 3
    assert result.value.answers.largest_difference == 0 and result.value.answers.different == 0


@pytest.mark.parametrize(
    ("files", "changes"),
    [
        ({"latencies.npy": npy(np.asarray([1, np.nan, 3], np.float32))}, {}),
        ({"latencies.npy": npy(np.asarray([1, -2, 3], np.float32))}, {}),
        ({"latencies.npy": npy(np.asarray([1, 2], np.float32))}, {}),
        ({"latencies.npy": npy(np.asarray(["1", None, 3], object), allow_pickle=True)}, {}),
        ({"answers-low.npy": npy(ROWS[:3])}, {}),
        ({"timing.json": b"[" * 100_000}, {}),
        ({"timing.json": b"{}"}, {}),
        ({}, {"queries": 10**9}),
        ({}, {"engine": "<script>"}),
        ({}, {"images": 5}),
        ({}, {"names": ["../../etc/passwd"]}),
        ({}, {"asked": [[0], [5]]}),
        ({}, {"asked": [[0, 1], [1, 0]]}),
        ({}, {"asked": [[0]]}),
        ({}, {"answers": None}),
        ({}, {"answers": {"inputs": [0, 1], "counts": [2, 2]}}),
        ({}, {"stateful": ["<script>"]}),
        ({}, {"repeated": {"seen_ms": [-1], "unseen_ms": [1]}}),
        ({}, {"ended": 9.0}),
        ({}, {"handover_ms": -1}),
        ({}, {"cpu_seconds": float("inf")}),
        ({}, {"surplus": 1}),
    ],
)
def test_a_round_that_is_not_as_agreed(files: dict[str, bytes], changes: dict[str, Any], tmp_path: Path) -> None:
    result = timed(tmp_path, files, **changes)
    assert isinstance(result, Failed) and result.status == "rejected"


def test_answers_that_are_no_numbers_are_no_answers(tmp_path: Path) -> None:
    result = timed(tmp_path, {"answers-high.npy": npy(np.full((2, 3), np.inf, np.float32))})
    assert isinstance(result, Done) and result.value.answers.different == 3


@pytest.mark.parametrize("status", ["timeout", "memory", "killed", "output", "failed"])
def test_a_round_that_did_not_end_well(status: str, tmp_path: Path) -> None:
    assert isinstance(timed(tmp_path, status=status), Failed)


def test_a_refusal_is_the_models_and_a_missing_engine_the_machines(tmp_path: Path) -> None:
    refused = json.dumps({"reason": "it stopped", "engine_missing": False}).encode()
    result = timed(tmp_path, {"refused.json": refused})
    assert isinstance(result, Failed) and "it stopped" in result.reason
    missing = json.dumps({"reason": "needs the package x", "engine_missing": True}).encode()
    with pytest.raises(MachineError, match="needs the package x"):
        timed(tmp_path, {"refused.json": missing})


def test_a_precision_without_a_model_or_with_one(tmp_path: Path) -> None:
    place = context(tmp_path, {})
    nothing = in_precision(conversion(place.store, tmp_path), "fp16", None, place)
    assert isinstance(nothing, Failed) and "was not sent" in nothing.reason
    place = context(tmp_path, {"model.onnx": b"half"})
    given = in_precision(conversion(place.store, tmp_path), "fp16", None, place)
    assert isinstance(given, Done) and place.store.path(given.value.model).read_bytes() == b"half"
