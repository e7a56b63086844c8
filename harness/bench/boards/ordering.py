"""Keeps predictions in the order of the boards: one that is nowhere stronger is nowhere faster.

Figures of boards have an order and a distance (`silicon.excess`): a board that is at most a factor c stronger than
another, where it is strongest, takes at least 1 / c^2 of its time. (By its figures alone it would be 1 / c. Caches and
launches are not among them: held-out rows are off by 1.088 with the first power, by 1.086 with the second.) Fitted
times of measured boards need not obey that, since published rows contradict it (NVIDIA's TX2 rows include copies to the
host, the Nano's do not). So their times are moved to the middle between two functions that obey it: the least one above
them and the largest one below them. Any other board gets its own estimate, or the nearest time that the measured ones
allow (the extension of Lipschitz functions by McShane, "Extension of range of functions", 1934). Both keep the order of
two estimates of one case, so what is done to the time is done to the ends of its interval.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.bench.boards.silicon import Figures, excess

Floats = NDArray[np.float64]

_POWER = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Ordering:
    """Distances between measured boards, and from each to one more board. A board may itself be a measured one."""

    among: Floats  # among[i, j]: how much (log) board i may be faster than board j
    over: Floats  # how much the other board may be faster than board i
    under: Floats  # how much board i may be faster than the other board

    @staticmethod
    @functools.lru_cache(maxsize=4096)
    def of(measured: tuple[Figures, ...], other: Figures) -> Ordering:
        """The distances between the boards with these figures."""
        among = [[_POWER * excess(one, two) for two in measured] for one in measured]
        return Ordering(
            np.array(among, dtype=np.float64).reshape(len(measured), len(measured)),
            np.array([_POWER * excess(other, one) for one in measured], dtype=np.float64),
            np.array([_POWER * excess(one, other) for one in measured], dtype=np.float64),
        )

    def extended(self, measured: Floats, own: float) -> float:
        """The other board's log(seconds) from those of the measured boards, and an estimate that obeys the order."""
        if not len(measured):
            return own
        above = (measured[None, :] - self.among).max(axis=1)
        below = (measured[None, :] + self.among.T).min(axis=1)
        moved = (above + below) / 2
        return float(np.clip(own, (moved - self.over).max(), (moved + self.under).min()))
