"""The loops that time queries: one after another, or at a fixed rate. Pure except for the clock and the order."""

from __future__ import annotations

import random
import statistics
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Query = Callable[[int], Any]  # answers input number i
Keep = Callable[[int, Any], None]  # keeps a query's output for input number i, after the clock has stopped

_SPIN_SECONDS = 0.001  # before a planned start, because a sleep ends late
_STEADY = 0.05  # warm: the medians of two runs of queries differ by at most this share
_LONGEST_WARM_UP = 5  # times the wanted one


@dataclass(frozen=True, slots=True)
class Timed:
    """What a loop measured; times in nanoseconds, in the order of the queries."""

    latencies: Sequence[int]
    started: float  # time.monotonic
    ended: float
    cpu_seconds: float  # of the processes that run the model
    missed: int = 0  # queries that began after the next one was planned


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How long it took until the latency was steady, and that latency."""

    seconds: float
    median_seconds: float


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop: after `seconds` and `fewest` queries, but in any case after `limit_seconds` or `most` queries."""

    seconds: float
    fewest: int
    most: int
    limit_seconds: float

    def spent(self, queries: int, elapsed: float) -> bool:
        if queries >= self.most or (queries and elapsed >= self.limit_seconds):
            return True
        return queries >= self.fewest and elapsed >= self.seconds


def in_random_turns(inputs: int) -> Iterator[int]:
    """Numbers below `inputs`, endlessly: each once in a round, each round in a new unpredictable order."""
    draw = random.SystemRandom()
    while True:
        yield from draw.sample(range(inputs), inputs)


def warm_up(query: Query, turns: Iterator[int], seconds: float) -> WarmUp:
    """Run for `seconds`, then until the latency is steady, but at most five times as long."""
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
    """Start each query when the one before is done. `used`: seconds of processor time so far that the model took."""
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
    """Query i is planned i / rate seconds after the start, and timed from that moment, even if it begins late.

    A stall therefore counts for each query that it delays, not only for the stalled one.
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
