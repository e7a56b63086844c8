"""bench.csv has each figure under its name, and nothing for what was not measured."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from bench_examples import accuracy, measured, results

from harness.bench.results import Energy
from harness.report.export.bench_files import write_bench


def test_each_figure_stands_under_its_name(tmp_path: Path):
    energy = Energy(idle_mw=1, mean_mw=2, per_inference_mj=7.125)
    one = measured(
        "=a", 5.0, accuracy=accuracy(0.9), energy=energy, fits=(), batch=4, throughput_interval=(190.5, 201.25)
    )
    other = measured("b", 9.0, seed=1, early_stopping=None, valid=False, peak_memory_bytes=None)
    write_bench(results(one, other, effort="quick"), tmp_path)
    first, second = csv.DictReader((tmp_path / "bench.csv").read_text().splitlines())
    low, high = one.p50_interval
    assert low < one.p50_ms < high < one.p90_ms < one.p99_ms, "no two alike, so that none passes for another"
    assert first == {
        "scenario": "single-stream", "effort": "quick", "model": "'=a", "engine": "cpu", "precision": "fp32",
        "mode": "model-only", "batch": "4", "queries": "1000", "p50_ms": f"{one.p50_ms:.5f}".rstrip("0"),
        "p50_low_ms": str(round(low, 5)), "p50_high_ms": str(round(high, 5)), "p90_ms": str(round(one.p90_ms, 5)),
        "p99_ms": str(round(one.p99_ms, 5)), "early_stopping_ms": str(round(one.early_stopping.estimate_ms, 5)),
        "throughput_per_s": str(round(one.throughput_per_s, 5)), "throughput_low_per_s": "190.5",
            "throughput_high_per_s": "201.25", "peak_memory_bytes": "120000000",
        "file_bytes": "9000000", "accuracy": "0.9", "energy_mj": "7.125", "valid": "True", "ended_by": "interval",
    }  # fmt: skip
    nothing = ("early_stopping_ms", "accuracy", "peak_memory_bytes", "energy_mj")
    assert [second[name] for name in nothing] == [""] * 4 and second["valid"] == "False"
    assert len(json.loads((tmp_path / "bench.json").read_text())["measurements"]) == 2
