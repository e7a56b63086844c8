"""Percentiles of latencies, and the bootstrap of a median. Pure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

RESAMPLES = 2000


def nearest_rank(latencies: Floats, percent: int) -> float:
    """The smallest latency that at least `percent` of the queries did not exceed (MLPerf's percentile)."""
    return float(np.sort(latencies)[max(1, math.ceil(len(latencies) * percent / 100)) - 1])


def resampled(blocks: Floats, random: np.random.Generator) -> Floats:
    """Resamples of rounds and, within each, of blocks: shape (resamples, rounds, blocks)."""
    rounds, within = blocks.shape
    chosen = random.integers(0, rounds, (RESAMPLES, rounds, 1))
    return blocks[chosen, random.integers(0, within, (RESAMPLES, rounds, within))]


def resampled_medians(blocks: Floats, random: np.random.Generator) -> Floats:
    """The median of each resample of rounds and, within each, of blocks: shape (resamples,)."""
    return np.asarray(np.median(resampled(blocks, random), axis=(1, 2)))
