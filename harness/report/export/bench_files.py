"""bench.json and bench.csv."""

from __future__ import annotations

from pathlib import Path

from harness.bench.results import BenchResults, Measurement
from harness.files.whole_file import write_whole
from harness.report.tables.writing import FOR_PROGRAMS, csv_of

_COLUMNS = (
    "model", "engine", "precision", "mode", "batch", "queries", "p50_ms", "p50_low_ms", "p50_high_ms", "p90_ms",
    "p99_ms", "early_stopping_ms", "throughput_per_s", "throughput_low_per_s", "throughput_high_per_s",
    "peak_memory_bytes", "file_bytes", "accuracy", "energy_mj", "valid", "ended_by",
)  # fmt: skip


def write_bench(results: BenchResults, out: Path) -> None:
    """Write both files to the folder. Raises `MachineError`."""
    import pandas

    write_whole(out / "bench.json", results.model_dump_json(by_alias=True) + "\n")
    rows = [(results.scenario, results.effort, *_row(one)) for one in results.measurements]
    frame = pandas.DataFrame(rows, columns=["scenario", "effort", *_COLUMNS], dtype=object)
    write_whole(out / "bench.csv", csv_of(frame, FOR_PROGRAMS))


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
    return [round(value, 5) if isinstance(value := values[name], float) else value for name in _COLUMNS]
