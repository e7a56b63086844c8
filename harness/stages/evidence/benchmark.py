"""The stage `benchmark`: a model's speed beside the reference's."""

from __future__ import annotations

from harness.stages.evidence.record import Interval, Record


class Latency(Record):
    """One model's timing, batch 1."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    throughput_per_s: float
    queries: int
    peak_memory_bytes: int


class CheckedAnswers(Record):
    """The timed answers, compared with the predict stage's on the same images."""

    checked: int  # all timed answers, counted once per image
    different: int  # by more than rounding
    largest_difference: float  # of a probability; 1 where an answer was not a number


class Benchmark(Record):
    """The model and the reference, timed in turn in one sandbox on the same cores."""

    engine: str  # for example "onnxruntime 1.30.0 CPU"
    model: Latency
    reference: Latency | None
    ratio: float | None  # model p50 / reference p50
    ratio_interval: Interval | None
    cpus: int
    threads: int
    warm_up_seconds: float
    outputs_agree: bool  # whether all timed answers agree with the predict stage's
    answers: CheckedAnswers | None = None
    stateful_operators: tuple[str, ...] = ()  # of the model's graph; timings with these are not trusted
    latencies_ms: tuple[float, ...] = ()  # the model's, in order
