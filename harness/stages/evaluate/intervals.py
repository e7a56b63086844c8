"""The one policy for 95 % intervals of scores; every share and difference of the product takes its interval from here.

    a proportion                    Wilson's score interval (Wilson, 1927; recommended by Brown, Cai and DasGupta, 2001)
    a paired difference of two      Tango's score interval (Tango, 1998)
    a mean of proportions           Wilson's intervals, combined by squares (Zou, Huang and Zhang, 2009: MOVER)
    the area under the ROC curve    a score interval (Newcombe, 2006, method 5)
    any other score                 bootstrap over scenes (`bootstrap.py`), never narrower than a closed form has it

Counts need not be whole: where images come in scenes, they are the effective ones (`scenes.py`). The exact coverage is
in `docs/intervals.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.stages.evidence.record import Interval

Z = NormalDist().inv_cdf(0.975)
_HALVINGS = 55  # of a range of at most 2: to the last bit of a double

Floats = NDArray[np.float64]


def wilson(share: float, count: float) -> Interval:
    """Wilson's score interval of a share of `count` images. Raises `ValueError` unless `count` is above 0."""
    if count <= 0:
        raise ValueError(f"a share of {count} images")
    middle = (count * share + Z * Z / 2) / (count + Z * Z)
    half = Z / (count + Z * Z) * float(np.sqrt(max(0.0, count * share * (1 - share)) + Z * Z / 4))
    return holding((middle - half, middle + half), share)


def paired(gains: float, losses: float, count: float) -> Interval:
    """Tango's score interval of (gains - losses) / count. Raises `ValueError` unless `count` is above 0.

    `gains`: images that only the first of two models has right; `losses`: those that only the second has. The interval
    has a width even where the two never disagree.
    """
    if count <= 0:
        raise ValueError(f"a difference on {count} images")
    low, high = tango(gains, losses, count)
    return holding((float(low), float(high)), (gains - losses) / count, -1.0, 1.0)


def tango(gains: ArrayLike, losses: ArrayLike, count: float) -> tuple[Floats, Floats]:
    """Tango's limits for arrays of counts: where the score statistic of a difference is 1.96 (1998, equation 14).

    Its variance is that of the constrained maximum likelihood, a root of a quadratic equation.
    """
    b, c = np.asarray(gains, np.float64), np.asarray(losses, np.float64)
    difference = (b - c) / count

    def excess(at: Floats, sign: int) -> Floats:
        """Positive where `at` lies outside the interval, on the side that `sign` (1: below) says."""
        linear = -b - c + (2 * count - b + c) * at
        root = np.sqrt(np.maximum(0.0, linear**2 + 8 * count * c * at * (1 - at)))
        only_second = (root - linear) / (4 * count)
        variance = count * (2 * only_second + at * (1 - at))
        value: Floats = sign * (b - c - count * at) - Z * np.sqrt(np.maximum(0.0, variance))
        return value

    def limit(far: Floats, sign: int) -> Floats:
        outside, inside = far, difference
        for _ in range(_HALVINGS):
            middle = (outside + inside) / 2
            is_outside = excess(middle, sign) > 0
            outside, inside = np.where(is_outside, middle, outside), np.where(is_outside, inside, middle)
        return (outside + inside) / 2

    return limit(np.full_like(difference, -1.0), 1), limit(np.full_like(difference, 1.0), -1)


def mean_of_shares(shares: Sequence[tuple[float, float]]) -> Interval:
    """The interval of the mean of independent shares, each with its count of images (MOVER, equal weights)."""
    mean = sum(share for share, _ in shares) / len(shares)
    bounds = [(share, *wilson(share, count)) for share, count in shares]
    below = sum((share - low) ** 2 for share, low, _ in bounds) ** 0.5 / len(shares)
    above = sum((high - share) ** 2 for share, _, high in bounds) ** 0.5 / len(shares)
    return holding((mean - below, mean + above), mean)


def auroc(value: float, seen: float, unseen: float) -> Interval:
    """The score interval of an area under the ROC curve, with the variance of Hanley and McNeil (1982).

    `seen`, `unseen`: counts of images. In the variance both are replaced by their mean, as Newcombe has it (method 5).
    """
    more = (seen + unseen) / 2 - 1

    def excess(at: float) -> float:
        variance = at * (1 - at) * (1 + more * (1 - at) / (2 - at) + more * at / (1 + at)) / (seen * unseen)
        return abs(value - at) - Z * float(np.sqrt(max(0.0, variance)))

    def limit(outside: float) -> float:
        inside = value
        for _ in range(_HALVINGS):
            middle = (outside + inside) / 2
            outside, inside = (middle, inside) if excess(middle) > 0 else (outside, middle)
        return (outside + inside) / 2

    return holding((limit(0.0), limit(1.0)), value)


def wider(one: Interval, other: Interval) -> Interval:
    """The smallest interval that holds both."""
    return min(one[0], other[0]), max(one[1], other[1])


def holding(interval: Interval, value: float, lowest: float = 0.0, highest: float = 1.0) -> Interval:
    """The interval within the score's range, widened where it would not hold the value itself."""
    low, high = max(lowest, interval[0]), min(highest, interval[1])
    return float(min(low, value)), float(max(high, value))
