"""Percentiles of latencies, and the bootstrap of a median. Pure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

RESAMPLES = 2000
_SHOWN_FIGURES = 2  # significant figures of a time


def nearest_rank(latencies: Floats, percent: int) -> float:
    """The smallest latency that at least `percent` of the queries did not exceed (MLPerf's percentile)."""
    return float(np.sort(latencies)[max(1, math.ceil(len(latencies) * percent / 100)) - 1])


def resampled_medians(blocks: Floats, random: np.random.Generator) -> Floats:
    """The median of each resample of rounds and, within each, of blocks: shape (resamples,)."""
    rounds, within = blocks.shape
    chosen = random.integers(0, rounds, (RESAMPLES, rounds, 1))
    drawn = blocks[chosen, random.integers(0, within, (RESAMPLES, rounds, within))]
    return np.asarray(np.median(drawn, axis=(1, 2)))


def significant(value: float, figures: int = _SHOWN_FIGURES) -> float:
    """The value rounded to `figures` significant figures, as a student sees times: exact ones could leak images."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, figures - 1 - math.floor(math.log10(abs(value))))
