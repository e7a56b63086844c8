"""bench.json and bench.csv."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from harness.bench.results import BenchResults, Measurement
from harness.files.whole_file import write_whole
from harness.report.export.spreadsheet import harmless

_COLUMNS = (
    "model", "engine", "precision", "mode", "batch", "queries", "p50_ms", "p50_low_ms", "p50_high_ms", "p90_ms",
    "p99_ms", "early_stopping_ms", "throughput_per_s", "throughput_low_per_s", "throughput_high_per_s",
    "peak_memory_bytes", "file_bytes", "accuracy", "energy_mj", "valid", "ended_by",
)  # fmt: skip


def write_bench(results: BenchResults, out: Path) -> None:
    """Write both files to the folder. Raises `MachineError`."""
    write_whole(out / "bench.json", results.model_dump_json(by_alias=True) + "\n")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("scenario", "effort", *_COLUMNS))
    for one in results.measurements:
        writer.writerow((results.scenario, results.effort, *_row(one)))
    write_whole(out / "bench.csv", text.getvalue())


def _row(one: Measurement) -> list[object]:
    values = one.model_dump() | {
        "p50_low_ms": one.p50_interval[0],
        "p50_high_ms": one.p50_interval[1],
        "throughput_low_per_s": one.throughput_interval[0] if one.throughput_interval else None,
        "throughput_high_per_s": one.throughput_interval[1] if one.throughput_interval else None,
        "early_stopping_ms": one.early_stopping.estimate_ms if one.early_stopping else None,
        "accuracy": one.accuracy.value if one.accuracy else None,
        "energy_mj": one.energy.per_inference_mj if one.energy else None,
    }
    return ["" if values[name] is None else _cell(values[name]) for name in _COLUMNS]


def _cell(value: object) -> object:
    return harmless(value) if isinstance(value, str) else round(value, 5) if isinstance(value, float) else value
