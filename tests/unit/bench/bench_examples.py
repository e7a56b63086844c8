"""Measurements for tests, with latencies drawn from a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.bench.envelope import fits
from harness.bench.estimates import block_medians, median_interval
from harness.bench.machine import MachineState
from harness.bench.results import Accuracy, BenchResults, EarlyStopped, Host, Measurement, TimedRound
from harness.stages.evidence.boards import (
    BoardLatency,
    BoardPredictions,
    CostlyLayer,
    Roofline,
    RooflineKernel,
)
from harness.stages.evidence.layers import LayerTime, LayerTimes, OperatorTime
from harness.stages.latency_statistics import nearest_rank


def measured(model: str, median_ms: float, seed: int = 0, **changes: Any) -> Measurement:
    """Five rounds of 200 queries."""
    random = np.random.default_rng(seed)
    rounds = [random.lognormal(np.log(median_ms * random.normal(1, 0.003)), 0.05, 200) for _ in range(5)]
    every = np.concatenate(rounds)
    state = MachineState(frequency_mhz=(2990, 3000), temperature_c=(50, 56), throttled=0, other_load=0.02, stolen=0.0)
    plain: dict[str, Any] = {
        "model": model,
        "sha256": "0" * 64,
        "engine": "cpu",
        "described": "onnxruntime 1.32.0 CPU",
        "precision": "fp32",
        "mode": "model-only",
        "self_reported": False,
        "queries": len(every),
        "seconds": float(every.sum()) / 1000,
        "p50_ms": nearest_rank(every, 50),
        "p50_interval": median_interval(rounds),
        "p90_ms": nearest_rank(every, 90),
        "p99_ms": nearest_rank(every, 99),
        "early_stopping": EarlyStopped(percentile=90, estimate_ms=nearest_rank(every, 92), discarded=77, needed=64),
        "throughput_per_s": 1000 / float(every.mean()),
        "valid": True,
        "ended_by": "interval",
        "peak_memory_bytes": 120_000_000,
        "file_bytes": 9_000_000,
        "fits": fits(120_000_000),
        "rounds": tuple(
            TimedRound(
                queries=200, seconds=float(r.sum()) / 1000, median_ms=float(np.median(r)), drift=0.01, machine=state
            )
            for r in rounds
        ),
        "latencies_ms": tuple(every.tolist()),
        "block_medians_ms": tuple(tuple(row) for row in block_medians(rounds).tolist()),
    }
    return Measurement(**(plain | changes))


def results(*measurements: Measurement, **changes: Any) -> BenchResults:
    plain: dict[str, Any] = {
        "harness": "0.1.0",
        "finished": "2026-11-25T03:00:00+00:00",
        "scenario": "single-stream",
        "effort": "full",
        "mode": "model-only",
        "sandbox": "bubblewrap",
        "images": 0,
        "host": Host(processor="Xeon", cores=(0, 1), system="Linux 6.1 x86_64"),
        "measurements": measurements,
    }
    return BenchResults(**(plain | changes))


def accuracy(value: float) -> Accuracy:
    return Accuracy(images=143, value=value, interval=(max(value - 0.06, 0), min(value + 0.06, 1)))


def layer_times(sum_ms: float = 9.0) -> LayerTimes:
    """Two layers; the name of the first holds mark-up."""
    two, one = 2 * sum_ms / 3, sum_ms / 3
    return LayerTimes(
        queries=50, query_ms=sum_ms / 0.9, sum_ms=sum_ms, count=2,
        layers=(LayerTime(name="<b>conv", operator="Conv", ms=two), LayerTime(name="pool", operator="MaxPool", ms=one)),
        operators=(OperatorTime(operator="Conv", layers=1, ms=two), OperatorTime(operator="MaxPool", layers=1, ms=one)),
    )  # fmt: skip


def board_predictions(model: str) -> BoardPredictions:
    """A prediction as the page takes it."""
    return BoardPredictions(
        model=model,
        boards=(
            BoardLatency(
                board="Jetson Nano 4GB", runtime="TensorRT", precision="fp16", latency_ms=14.2,
                interval_90=(11.0, 18.4), rests_on="31 rows, nearest mobilenet_v2",
                fits=True, needed_bytes=11 * 10**8, available_bytes=35 * 10**8,
            ),
        ),
        rooflines=(
            Roofline(
                board="Jetson Nano 4GB", precision="fp16", peak_operations_per_s=4.7e11, bandwidth_bytes_per_s=2.56e10,
                kernels=(
                    RooflineKernel(name="conv1", operations=2.1e7, bytes=2e6, reached_per_s=1.1e11),
                    RooflineKernel(name="depthwise", operations=4e6, bytes=5e6),
                ),
            ),
        ),
        costliest=(CostlyLayer(name="fc1", operator="Gemm", share=0.61, parameters=102_760_448, operations=205e6),),
        advice=("The first dense layer holds 75% of the parameters: pool before it.",),
    )  # fmt: skip
