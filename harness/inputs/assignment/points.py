"""Points as decimals: every rounding and every sum of points, exactly.

Points are kept as floats with at most two decimals. They are rounded and added as decimals, because a float such as
0.075 or 0.145 is not the tie that it stands for, and a sum of floats is not the sum of what is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

_STEP = Decimal("0.01")
_NOISE = Decimal("1e-9")  # what floating point adds to a product or a quotient is smaller; a share of points is coarser


def rounded(points: float) -> float:
    """The points to two decimals, a tie to the even digit: 0.075 -> 0.08, and 0.145 -> 0.14.

    The noise of floating point is taken off before: 15 * 0.145 / 5, which is 0.43499999999999994, is the tie 0.435.
    Raises `decimal.InvalidOperation` for an infinite value.
    """
    return float(_to_step(Decimal(repr(float(points)))))


def total(points: Iterable[float]) -> float:
    """The sum of the points, each as its decimal text says: 0.1 and 0.2 make 0.3, not 0.30000000000000004."""
    return float(sum((Decimal(repr(float(one))) for one in points), Decimal(0)))


def _to_step(exact: Decimal) -> Decimal:
    return exact.quantize(_NOISE, ROUND_HALF_EVEN).quantize(_STEP, ROUND_HALF_EVEN) + 0  # no -0
