"""The loops that time queries: one after another, and at a fixed rate. Pure but for the clock and the order."""

from __future__ import annotations

import random
import statistics
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Query = Callable[[int], Any]  # answers input number i
Keep = Callable[[int, Any], None]  # takes what a query gave for input number i, after the clock has stopped

_SPIN_SECONDS = 0.001  # before a planned start: a sleep wakes up late
_STEADY = 0.05  # largest change between the medians of two runs of queries, to count as warm
_LONGEST_WARM_UP = 5  # times the wanted one


@dataclass(frozen=True, slots=True)
class Timed:
    """What a loop measured; times in nanoseconds, in the order of the queries."""

    latencies: Sequence[int]
    started: float  # time.monotonic
    ended: float
    cpu_seconds: float  # of what runs the model
    missed: int = 0  # queries that began after the next one was planned


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How long it took until the latency was steady, and that latency."""

    seconds: float
    median_seconds: float


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop: at `seconds` with at least `fewest` queries, at `limit_seconds` or `most` queries anyhow."""

    seconds: float
    fewest: int
    most: int
    limit_seconds: float

    def spent(self, queries: int, elapsed: float) -> bool:
        if queries >= self.most or (queries and elapsed >= self.limit_seconds):
            return True
        return queries >= self.fewest and elapsed >= self.seconds


def in_random_turns(inputs: int) -> Iterator[int]:
    """Numbers below `inputs` for ever: each once in a round, each round in a new order that nobody can foresee."""
    draw = random.SystemRandom()
    while True:
        yield from draw.sample(range(inputs), inputs)


def warm_up(query: Query, turns: Iterator[int], seconds: float) -> WarmUp:
    """Run for `seconds`, and on until the latency is steady, or for five times as long."""
    started, before = time.monotonic(), float("inf")
    while True:
        spans = []
        for _ in range(4):
            at = next(turns)
            begun = time.perf_counter_ns()
            query(at)
            spans.append(time.perf_counter_ns() - begun)
        median = statistics.median(spans)
        taken = time.monotonic() - started
        steady = abs(median - before) <= _STEADY * median
        if taken >= seconds and (steady or taken >= _LONGEST_WARM_UP * seconds):
            return WarmUp(taken, median / 1e9)
        before = median


def one_after_another(
    query: Query, turns: Iterator[int], keep: Keep, budget: Budget, used: Callable[[], float] = time.process_time
) -> Timed:
    """Each query begins when the one before is done. `used`: processor time so far of what runs the model, seconds."""
    latencies = array("q")  # 8 bytes each: the model's memory is measured too
    clock = time.perf_counter_ns
    cpu, started = used(), time.monotonic()
    first = clock()
    number = 0
    while not budget.spent(number, (clock() - first) / 1e9):
        at = next(turns)
        begun = clock()
        given = query(at)
        latencies.append(clock() - begun)
        keep(at, given)
        number += 1
    return Timed(latencies, started, time.monotonic(), used() - cpu)


def at_fixed_rate(
    query: Query,
    turns: Iterator[int],
    keep: Keep,
    per_second: float,
    budget: Budget,
    used: Callable[[], float] = time.process_time,
) -> Timed:
    """Query i is planned for i / rate after the start, and timed from then, however late it begins.

    A stall therefore counts for each query that it delays, not only for the one that stalled.
    """
    latencies = array("q")  # 8 bytes each: the model's memory is measured too
    clock, period = time.perf_counter_ns, round(1e9 / per_second)
    missed = 0
    cpu, started = used(), time.monotonic()
    first = clock()
    number = 0
    while not budget.spent(number, (clock() - first) / 1e9):
        at = next(turns)
        planned = first + number * period
        _wait_until(planned)
        missed += clock() - planned > period
        given = query(at)
        latencies.append(clock() - planned)
        keep(at, given)
        number += 1
    return Timed(latencies, started, time.monotonic(), used() - cpu, missed)


def _wait_until(planned: int) -> None:
    clock = time.perf_counter_ns
    while (left := (planned - clock()) / 1e9) > 0:
        if left > _SPIN_SECONDS:
            time.sleep(left - _SPIN_SECONDS)
