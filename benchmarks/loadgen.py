"""Compares our loop with MLCommons LoadGen on one model, in turn: `python benchmarks/loadgen.py MODEL.onnx`.

Both run in this process on the same session, pinned cores and inputs, for a few seconds each, several times; then
their 90th percentiles are compared. LoadGen (`pip install mlcommons-loadgen`) is for x86 only.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from harness.agent.graph.onnx_model import session
from harness.agent.timing.scenarios import Budget, in_random_turns, one_after_another, warm_up
from harness.bench.estimates import early_stopping
from harness.bench.rules import CONFIDENCE
from harness.stages.latency_statistics import nearest_rank

Query = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class LoadGenResult:
    """LoadGen's log of one SingleStream run."""

    latencies_ns: tuple[int, ...]  # of each query, from its trace
    p90_ns: int  # from its summary
    early_stopping_p90_ns: int


def run_loadgen(query: Query, seconds: float) -> LoadGenResult:
    """LoadGen's SingleStream with our query as the system under test."""
    import mlperf_loadgen as loadgen

    def issue(samples: list[object]) -> None:
        for sample in samples:
            query(sample.index)  # type: ignore[attr-defined]
            loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(sample.id, 0, 0)])  # type: ignore[attr-defined]

    settings = loadgen.TestSettings()
    settings.scenario = loadgen.TestScenario.SingleStream
    settings.mode = loadgen.TestMode.PerformanceOnly
    settings.min_duration_ms = round(seconds * 1000)
    settings.min_query_count = 64
    with TemporaryDirectory() as folder:
        logs = loadgen.LogSettings()
        logs.enable_trace = True
        logs.log_output = loadgen.LogOutputSettings()
        logs.log_output.outdir = folder
        system = loadgen.ConstructSUT(issue, lambda: None)
        library = loadgen.ConstructQSL(16, 16, lambda _: None, lambda _: None)
        try:
            loadgen.StartTestWithLogSettings(system, library, settings, logs, "")
        finally:
            loadgen.DestroyQSL(library)
            loadgen.DestroySUT(system)
        return _logged(Path(folder))


def _logged(folder: Path) -> LoadGenResult:
    trace = (folder / "mlperf_log_trace.json").read_text()
    spans = re.findall(r'"issue_start_ns":(\d+),"complete_ns":(\d+)', trace)
    entries = [
        json.loads(line.split("MLLOG ", 1)[1])
        for line in (folder / "mlperf_log_detail.txt").read_text().splitlines()
        if "MLLOG " in line
    ]
    said = {entry["key"]: entry["value"] for entry in entries}
    return LoadGenResult(
        latencies_ns=tuple(int(end) - int(start) for start, end in spans),
        p90_ns=said["result_90.00_percentile_latency_ns"],
        early_stopping_p90_ns=said["early_stopping_latency_ss"],
    )


def onnx_query(model: Path, threads: int) -> Query:
    """A query: one inference on one of 16 noise inputs."""
    running = session(model, threads)
    given = running.get_inputs()[0]
    shape = [side if isinstance(side, int) else 1 for side in given.shape]
    inputs = np.random.default_rng(0).normal(size=(16, *shape)).astype(np.float32)
    outputs = [running.get_outputs()[0].name]
    return lambda number: running.run(outputs, {given.name: inputs[number % 16]})


def _turn(query: Query, seconds: float, *, ours_first: bool) -> tuple[Sequence[int], Sequence[int]]:
    """Run both once, in the given order, because the second one has warmer caches."""
    budget = Budget(seconds, 64, 10**6, 10 * seconds)
    if ours_first:
        ours = _our_loop(query, budget)
        return ours, run_loadgen(query, seconds).latencies_ns
    theirs = run_loadgen(query, seconds).latencies_ns
    return _our_loop(query, budget), theirs


def _our_loop(query: Query, budget: Budget) -> Sequence[int]:
    return one_after_another(query, in_random_turns(16), lambda *_: None, budget).latencies


def main(model: Path, seconds: float = 1.0, turns: int = 40) -> None:
    cores = sorted(os.sched_getaffinity(0))
    query = onnx_query(model, len(cores))
    warm_up(query, in_random_turns(16), 2.0)
    gc.disable()
    ours: list[int] = []
    theirs: list[int] = []
    ratios = []
    for turn in range(turns):
        ours_now, theirs_now = _turn(query, seconds, ours_first=turn % 2 == 0)
        ours += ours_now
        theirs += theirs_now
        ratios.append(nearest_rank(np.array(ours_now), 90) / nearest_rank(np.array(theirs_now), 90))
    for name, latencies in (("ours", ours), ("LoadGen", theirs)):
        array = np.array(latencies) / 1e6
        estimate = early_stopping(array, 90, CONFIDENCE).estimate
        print(f"{name}: {len(array)} queries, p90 {nearest_rank(array, 90):.3f} ms, early stopping {estimate:.3f} ms")
    drawn = np.random.default_rng(0).choice(ratios, (2000, turns))
    low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
    print(f"p90, ours / LoadGen, pooled: {_ratio(ours, theirs):.4f}")
    print(f"p90, ours / LoadGen, median of {turns} turns: {np.median(ratios):.4f} [{low:.4f}, {high:.4f}]")


def _ratio(ours: list[int], theirs: list[int]) -> float:
    return nearest_rank(np.array(ours), 90) / nearest_rank(np.array(theirs), 90)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
