"""The percentile bootstrap over scenes (Efron, 1979; over whole clusters: Davison and Hinkley, 1997, section 3.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from harness.stages.evidence.record import Interval

RESAMPLES = 2000  # the 2.5 % quantile then rests on 50 of them
AT_ONCE = 4_000_000  # numbers of a block of resamples

Floats = NDArray[np.float64]


def drawn(scenes: int, random: np.random.Generator, like: int = 1) -> Iterator[Floats]:
    """Blocks of resamples: how often each scene was drawn, shape (resamples of the block, scenes).

    `like`: scenes of another set, which is drawn in blocks of the same size.
    """
    block = max(1, min(RESAMPLES, AT_ONCE // max(scenes, like)))
    for start in range(0, RESAMPLES, block):
        size = min(block, RESAMPLES - start)
        chosen = random.integers(0, scenes, (size, scenes)) + np.arange(size)[:, None] * scenes
        yield np.bincount(chosen.ravel(), minlength=size * scenes).reshape(size, scenes).astype(np.float64)


def resampled(
    sums: Floats, statistics: dict[str, Callable[[Floats], Floats]], random: np.random.Generator
) -> dict[str, Floats]:
    """Each statistic in every resample, shape (resamples,).

    `sums`: shape (scenes, columns), the sums over each scene's images. A statistic is computed from the columns' totals
    over the drawn scenes, shape (resamples of a block, columns).
    """
    found: dict[str, list[Floats]] = {name: [] for name in statistics}
    for counts in drawn(len(sums), random):
        totals = counts @ sums
        for name, statistic in statistics.items():
            found[name].append(statistic(totals))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def percentile(values: Floats) -> Interval:
    """The middle 95 %."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def basic(values: Floats, value: float) -> Interval:
    """The percentile interval mirrored at the value (Davison and Hinkley, 1997, section 5.2.2).

    For a score that a resample raises, as noise raises a calibration error: the mirrored interval is moved down by
    as much as resampling moved the score up.
    """
    low, high = percentile(values)
    return 2 * value - high, 2 * value - low
