"""Percentiles of latencies, and intervals of the ratio of two medians. Pure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.stages.evidence.record import Interval

Floats = NDArray[np.floating[Any]]

RESAMPLES = 2000


def nearest_rank(latencies: Floats, percent: int) -> float:
    """The smallest latency that at least `percent` of the queries did not exceed (MLPerf's percentile)."""
    return float(np.sort(latencies)[max(1, math.ceil(len(latencies) * percent / 100)) - 1])


def ratio_interval_in_turn(new: Floats, old: Floats) -> Interval:
    """The 95 % interval of the ratio of two medians that were timed in turn, in the same minutes.

    `new`, `old`: block medians, shape (blocks,); blocks i of both were timed one after the other. Pairs of blocks are
    resampled: anything that slows the machine slows both blocks of a pair, and cancels in the ratio.
    """
    drawn = np.random.default_rng(0).integers(0, len(new), (RESAMPLES, len(new)))
    return _interval(np.median(new[drawn], axis=1) / np.median(old[drawn], axis=1))


def ratio_interval_apart(new: Floats, old: Floats) -> Interval:
    """The 95 % interval of the ratio of two medians from two independent runs on one machine.

    `new`, `old`: block medians, shape (rounds, blocks). Each run is resampled separately, because rounds of different
    days are not paired.
    """
    random = np.random.default_rng(0)
    return _interval(resampled_medians(new, random) / resampled_medians(old, random))


def resampled_medians(blocks: Floats, random: np.random.Generator) -> Floats:
    """The median of each resample of rounds and, within each, of blocks: shape (resamples,)."""
    rounds, within = blocks.shape
    chosen = random.integers(0, rounds, (RESAMPLES, rounds, 1))
    drawn = blocks[chosen, random.integers(0, within, (RESAMPLES, rounds, within))]
    return np.asarray(np.median(drawn, axis=(1, 2)))


def _interval(resamples: Floats) -> Interval:
    low, high = np.quantile(resamples, (0.025, 0.975))
    return float(low), float(high)
