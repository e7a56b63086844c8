"""The stage `benchmark`: a model's speed beside the reference's."""

from __future__ import annotations

from typing import Literal

from harness.stages.evidence.record import Interval, Record

Clock = Literal["processor", "wall"]
TimedPartName = Literal["model-only", "end-to-end"]


class Latency(Record):
    """One model's timing, batch 1."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    throughput_per_s: float
    queries: int
    peak_memory_bytes: int


class TimedPart(Record):
    """A part of a detector's query. `model-only`: the graph; `end-to-end`: from an image in memory to the boxes."""

    name: TimedPartName
    model: Latency
    reference: Latency | None
    ratio: float | None  # model / reference
    ratio_interval: Interval | None


class CheckedAnswers(Record):
    """The timed answers, compared with those of `predict` or `detect` on the same images."""

    checked: int  # all timed answers, counted once per image
    different: int  # by more than rounding
    largest_difference: float  # of a probability, or of a box's score or corner; 1 where an answer was none


class Benchmark(Record):
    """The model and the reference, timed in turn in pairs of fresh processes, one thread each, on the same cores.

    All times are by `clock`.
    """

    engine: str  # for example "onnxruntime 1.30.0 CPU"
    model: Latency
    reference: Latency | None
    ratio: float | None  # model / reference: the geometric mean of `pair_ratios`
    ratio_interval: Interval | None
    cpus: int
    threads: int
    warm_up_seconds: float
    outputs_agree: bool  # whether all timed answers agree with the predict stage's
    answers: CheckedAnswers | None = None
    stateful_operators: tuple[str, ...] = ()  # of the model's graph; timings with these are not trusted
    latencies_ms: tuple[float, ...] = ()  # the model's, in order
    clock: Clock = "wall"  # the steadier one; processor time is the latency less the waiting for a core
    waited: float = 0.0  # how much the model's queries waited for a core, relative to their processor time
    pair_ratios: tuple[float, ...] = ()  # of the fastest tenths' limits, one for each pair
    first_pairs: int = 0  # those whose spread is in the interval, and decided how many more followed
    parts: tuple[TimedPart, ...] = ()  # of a detector, whose figures above are from the graph's input to the boxes
