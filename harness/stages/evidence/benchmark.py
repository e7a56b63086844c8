"""The stage `benchmark`: how fast a model answers, beside the reference."""

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
    """The answers that were given while the time was taken, against the predict stage's on the same images."""

    checked: int  # every one that was timed, once for each of its images
    different: int  # by more than rounding
    largest_difference: float  # of a probability; 1 where an answer was no number


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
    outputs_agree: bool  # with the predict stage's on the same images: every one that was timed
    answers: CheckedAnswers | None = None
    stateful_operators: tuple[str, ...] = ()  # of the model's graph; what they time is not believed
    latencies_ms: tuple[float, ...] = ()  # the model's, in order
