"""From latencies to figures: percentiles, MLPerf's early-stopping estimate, intervals, drift. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, mannwhitneyu

from harness.stages.evidence.record import Interval
from harness.stages.latency_statistics import resampled_medians

Floats = NDArray[np.float64]

_BLOCKS = 10  # of a round: neighbouring queries are alike, so blocks, not queries, are resampled


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """The latency that, with the asked confidence, at least `percentile` % of all queries stay within."""

    percentile: int
    estimate: float | None  # None: there were too few queries
    discarded: int  # the slowest queries that lie above the estimate
    needed: int  # the fewest queries with which there is an estimate


def _over_latency(queries: int, percentile: int, confidence: float) -> int:
    """The most queries t of which `t or fewer are too slow` still is unlikelier than 1 - confidence.

    Unlikelier under the assumption that only `percentile` % of queries stay within the latency. Zero when
    there are too few queries for even one.
    """
    doubt, slow = 1 - confidence, 1 - percentile / 100
    t = int(binom.ppf(doubt, queries, slow))  # the first at or above: at most one too many
    while t > 0 and binom.cdf(t, queries, slow) >= doubt:
        t -= 1
    return t


def fewest_queries(percentile: int, confidence: float) -> int:
    """With how many queries early stopping gives an estimate: 64 for p90, 662 for p99 at 0.99."""
    queries = 1
    while _over_latency(queries, percentile, confidence) < 1:
        queries += 1
    return queries


def early_stopping(latencies: Sequence[float] | Floats, percentile: int, confidence: float) -> EarlyStopping:
    """MLPerf's early-stopping estimate, as LoadGen's `early_stopping.cc` and `results.cc` define it.

    With t the most over-latency queries that n queries can hold (above), the estimate is the t-th slowest
    latency; t - 1 queries are discarded. The MLPerf inference rules call this "Early Stopping".
    """
    needed = fewest_queries(percentile, confidence)
    count = len(latencies)
    if count < needed:
        return EarlyStopping(percentile, None, 0, needed)
    t = _over_latency(count, percentile, confidence)
    return EarlyStopping(percentile, float(np.sort(np.asarray(latencies))[count - t]), t - 1, needed)


def block_medians(rounds: Sequence[Floats]) -> Floats:
    """The medians of blocks of neighbouring queries: shape (rounds, blocks), up to ten blocks for each round."""
    blocks = min(_BLOCKS, *(len(latencies) for latencies in rounds))
    return np.array([[float(np.median(part)) for part in np.array_split(one, blocks)] for one in rounds])


def median_interval(rounds: Sequence[Floats]) -> Interval:
    """The 95 % interval of the median, by bootstrap over rounds and, within each, over blocks of queries.

    A round is a fresh process, so the interval holds what differs from start to start (memory layout, say),
    and blocks keep the likeness of neighbouring queries: the interval that resampled queries would give is
    too narrow.
    """
    low, high = np.quantile(resampled_medians(block_medians(rounds), np.random.default_rng(0)), (0.025, 0.975))
    return float(low), float(high)


def p_value(new: Floats, old: Floats) -> float:
    """Of the two-sided Mann-Whitney test that neither's block medians tend to be larger."""
    return float(mannwhitneyu(new.ravel(), old.ravel(), alternative="two-sided").pvalue)


def smallest_p_value(new: Floats, old: Floats) -> float:
    """The least that `p_value` can be with as many block medians: where all of one lie above all of the other."""
    return 2 / math.comb(new.size + old.size, new.size)


def drift(latencies: Floats) -> float:
    """By how much the median of the last third lies above that of the first, relative to it; 0 for fewer than 6."""
    third = len(latencies) // 3
    if third < 2:
        return 0.0
    first, last = float(np.median(latencies[:third])), float(np.median(latencies[-third:]))
    return last / first - 1
