"""The ratio of two models' latencies, from pairs of fresh processes, and its interval. Pure.

A pair is a replicate; queries and blocks of one process are not, because they share what differs from start to start.
Each process is summarised by one number, each pair by the logarithm of the ratio of its two; estimate and interval
both come from these logarithms.

How many pairs: C. Stein, "A two-sample test for a linear hypothesis whose power is independent of the variance", Annals
of Mathematical Statistics 16 (1945) 243. The spread of the first pairs decides how many more are timed, and remains the
only spread in the interval, so that stopping when the interval is narrow does not make it too narrow.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evidence.benchmark import Clock
from harness.stages.evidence.record import Interval

Floats = NDArray[np.float64]
Anchors = Sequence[tuple[float, float]]  # of criteria: the ratios where all points end, and where none are left

FEWEST_PAIRS = 2  # one has no spread
FIRST_PAIRS = 6
MOST_PAIRS = 24
WIDEST = 0.04  # of the points: the whole width, of what more pairs make narrower, at which timing ends
_CONFIDENCE = 0.95
# How far a ratio can be off in all pairs of a run alike, relative, with 95 % confidence: how the models lie in memory,
# and that other programs take caches from a large model more than from a small one. It grows with the time that
# queries waited for a core; two and more other programs on each core are alike. From benchmarks/latency_marks.py
# (docs/benchmarking.md).
_SYSTEMATIC, _SYSTEMATIC_BY_WAITING, _MOST_WAITING = 0.02, 0.015, 2.0
_TENTH = 0.1
_WAITED = 0.02  # of a run's processor time: the most that wall time may exceed it by and still count


@dataclass(frozen=True, slots=True)
class Spans:
    """The times of one model's queries, ms, by process."""

    walls: tuple[Floats, ...]
    processors: tuple[Floats, ...]

    def by(self, clock: Clock) -> tuple[Floats, ...]:
        return self.walls if clock == "wall" else self.processors

    def and_then(self, later: Spans) -> Spans:
        return Spans(self.walls + later.walls, self.processors + later.processors)

    @property
    def waited(self) -> float:
        """The time that its queries waited for a core, relative to their processor time."""
        wall, processor = (sum(float(one.sum()) for one in spans) for spans in (self.walls, self.processors))
        return max(0.0, wall / processor - 1)


def estimate(times: Floats) -> float:
    """One process's latency: the time that a tenth of its queries did not exceed.

    Other work only ever adds to a time, by waiting and by taking caches, so that the faster queries are the less
    disturbed ones. J. Chen and J. Revels, "Robust benchmarking in noisy environments" (2016), take the minimum; a
    quantile does not fall with the number of queries, which is larger for the faster model.
    """
    return float(np.quantile(times, _TENTH))


def log_ratios(model: Spans, reference: Spans, clock: Clock) -> Floats:
    """The logarithm of model / reference of each pair, shape (pairs,)."""
    pairs = zip(model.by(clock), reference.by(clock), strict=True)
    return np.array([math.log(estimate(one) / estimate(other)) for one, other in pairs])


def steadier_clock(model: Spans, reference: Spans) -> Clock:
    """The clock that counts: the one whose interval over these pairs is narrower, if both may count.

    One thread per model: processor time is the latency less the waiting for a core. Wall time counts only where neither
    model waited for more than 2 %, because a query shorter than a time slice seldom waits and a longer one always does.
    """
    if max(model.waited, reference.waited) > _WAITED:
        return "processor"
    wall, processor = (float(log_ratios(model, reference, clock).std(ddof=1)) for clock in ("wall", "processor"))
    return "wall" if wall < processor else "processor"


@dataclass(frozen=True, slots=True)
class PairedRatio:
    """The logarithms of the pairs' ratios, at least two; the first `first` of them decided how many there are."""

    logs: Floats
    first: int
    clock: Clock
    waited: float  # as `Spans.waited`, of the model or the reference

    @property
    def ratio(self) -> float:
        """The geometric mean of the pairs' ratios."""
        return math.exp(float(self.logs.mean()))

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the ratio: that of the pairs, widened by what they do not show."""
        low, high = self.interval_with(len(self.logs))
        shared = 1 + systematic(self.waited)
        return low / shared, high * shared

    def interval_with(self, pairs: int) -> Interval:
        """Stein's interval if so many pairs had the same mean."""
        spread = float(self.logs[: self.first].std(ddof=1))
        half = _students(self.first - 1) * spread / math.sqrt(pairs)
        return self.ratio * math.exp(-half), self.ratio * math.exp(half)

    def pairs_wanted(self, anchors: Anchors) -> int | None:
        """The fewest pairs with which their interval is narrow in points; None if `MOST_PAIRS` are too few."""
        for pairs in range(len(self.logs), MOST_PAIRS + 1):
            if width(self.interval_with(pairs), anchors) <= WIDEST:
                return pairs
        return None


@functools.cache
def _students(degrees: int) -> float:
    from scipy.special import stdtrit  # takes long to load, and is needed where something is timed

    return float(stdtrit(degrees, (1 + _CONFIDENCE) / 2))


def systematic(waited: float) -> float:
    """The relative error, at 95 % confidence, that all pairs of a run share and their spread does not show."""
    return _SYSTEMATIC + _SYSTEMATIC_BY_WAITING * min(waited, _MOST_WAITING)


def width(interval: Interval, anchors: Anchors) -> float:
    """The width of a ratio's interval in shares of the points: the widest of the criteria's, 0 without any."""
    low, high = interval
    return max((share(low, *ends) - share(high, *ends) for ends in anchors), default=0.0)


def share(ratio: float, full_at: float, zero_at: float) -> float:
    """The share of the points at a ratio: linear from 1 at `full_at` to 0 at `zero_at`, flat beyond."""
    return float(np.interp(ratio, (full_at, zero_at), (1.0, 0.0)))
