"""Our rules against MLCommons LoadGen's own figures, on the very same queries: nothing here depends on the load."""

from __future__ import annotations

import platform
import time
from pathlib import Path

import numpy as np
import pytest
from loadgen import onnx_query, run_loadgen
from model_files import torch_model, write_torch

from harness.bench.estimates import early_stopping
from harness.bench.rules import CONFIDENCE
from harness.stages.latency_statistics import nearest_rank

pytestmark = [
    pytest.mark.alone,  # it measures time
    pytest.mark.skipif(platform.machine() != "x86_64", reason="LoadGen's wheel is for x86 only"),
]


def test_our_p90_is_loadgens_on_the_same_queries(tmp_path: Path) -> None:
    """From LoadGen's own trace: the early-stopping estimate to the nanosecond, the percentile within 3 %."""
    write_torch(torch_model("mobilenet_v2"), "onnx", tmp_path / "model.onnx")
    found = run_loadgen(onnx_query(tmp_path / "model.onnx", 1), 3.0)
    assert len(found.latencies_ns) >= 64
    ours = early_stopping(found.latencies_ns, 90, CONFIDENCE)
    assert ours.estimate == found.early_stopping_p90_ns
    assert nearest_rank(np.array(found.latencies_ns), 90) == pytest.approx(found.p90_ns, rel=0.03)


def test_our_clock_sees_what_loadgen_sees(tmp_path: Path) -> None:
    """Each query timed by both: around the call, as our loop does, and from issue to completion."""
    write_torch(torch_model("mobilenet_v2"), "onnx", tmp_path / "model.onnx")
    query, ours = onnx_query(tmp_path / "model.onnx", 1), []

    def timed(number: int) -> None:
        begun = time.perf_counter_ns()
        query(number)
        ours.append(time.perf_counter_ns() - begun)

    found = run_loadgen(timed, 3.0)
    assert len(ours) == len(found.latencies_ns)
    assert nearest_rank(np.array(ours), 90) == pytest.approx(nearest_rank(np.array(found.latencies_ns), 90), rel=0.03)
