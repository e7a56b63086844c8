"""Statistics of latencies: percentiles, MLPerf's early-stopping estimate, intervals, drift. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.evidence.record import Interval
from harness.stages.latency_statistics import resampled, resampled_medians

Floats = NDArray[np.float64]

_BLOCKS = 10  # in a round; blocks are resampled, because neighbouring queries are correlated


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """The latency that, with the given confidence, at least `percentile` % of all queries do not exceed."""

    percentile: int
    estimate: float | None  # None: there were too few queries
    discarded: int  # the slowest queries that lie above the estimate
    needed: int  # the fewest queries with which there is an estimate


def _over_latency(queries: int, percentile: int, confidence: float) -> int:
    """The largest t for which P(at most t of the queries are too slow) is below 1 - confidence.

    The probability assumes that exactly `percentile` % of queries stay within the latency. 0 when there are too few
    queries for t = 1.
    """
    from scipy.stats import binom

    doubt, slow = 1 - confidence, 1 - percentile / 100
    t = int(binom.ppf(doubt, queries, slow))  # the first at or above: at most one too many
    while t > 0 and binom.cdf(t, queries, slow) >= doubt:
        t -= 1
    return t


def fewest_queries(percentile: int, confidence: float) -> int:
    """The fewest queries with which early stopping gives an estimate: 64 for p90, 662 for p99 at 0.99."""
    queries = 1
    while _over_latency(queries, percentile, confidence) < 1:
        queries += 1
    return queries


def early_stopping(latencies: Sequence[float] | Floats, percentile: int, confidence: float) -> EarlyStopping:
    """MLPerf's early-stopping estimate, as LoadGen's `early_stopping.cc` and `results.cc` define it.

    With t from `_over_latency`, the estimate is the t-th slowest latency, and t - 1 queries are discarded. The MLPerf
    inference rules call this "Early Stopping".
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

    A round is a fresh process, so the interval includes differences between starts (memory layout, say). Blocks keep
    the correlation of neighbouring queries; resampling single queries would give too narrow an interval.
    """
    low, high = np.quantile(resampled_medians(block_medians(rounds), np.random.default_rng(0)), (0.025, 0.975))
    return float(low), float(high)


def rate_interval(rounds: Sequence[Floats], rate: float) -> Interval:
    """The 95 % interval of a throughput that was `rate`, by the same bootstrap, of the mean time of a query."""
    blocks = min(_BLOCKS, *(len(latencies) for latencies in rounds))
    means = np.array([[float(np.mean(part)) for part in np.array_split(one, blocks)] for one in rounds])
    drawn = resampled(means, np.random.default_rng(0)).mean(axis=(1, 2)) / means.mean()
    low, high = np.quantile(drawn, (0.025, 0.975))
    return rate / float(high), rate / float(low)


def p_value(new: Floats, old: Floats) -> float:
    """The p-value of the two-sided Mann-Whitney test."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(new.ravel(), old.ravel(), alternative="two-sided").pvalue)


def drift(latencies: Floats) -> float:
    """The median of the last third relative to that of the first, minus 1; 0 for fewer than 6 latencies."""
    third = len(latencies) // 3
    if third < 2:
        return 0.0
    first, last = float(np.median(latencies[:third])), float(np.median(latencies[-third:]))
    return last / first - 1
