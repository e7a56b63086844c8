"""The geometric mean of two fits of the same physics: one shared by all boards, one of a board's own.

Two models that are wrong in different ways are together less wrong than the better one (Bates and Granger, "The
Combination of Forecasts", 1969). A board's own three numbers count for half where rows of two families or more stand
behind them, for a quarter with one family, for nothing without: then they would be a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.bench.boards import physics
from harness.bench.boards.factors import OWN, SHARED, Case
from harness.bench.boards.physics import Physics

Floats = NDArray[np.float64]

_HALF = 0.5
_ENOUGH = 2  # families


@dataclass(frozen=True, slots=True)
class Blend:
    """Both fits, and how many families stand behind the numbers of each board, runtime and precision."""

    shared: Physics
    own: Physics
    families: dict[str, int]  # `Case.place` -> families

    @staticmethod
    def of(shared: dict[str, float], own: dict[str, float], rows: Iterable[tuple[Case, str]]) -> Blend:
        """Fitted factors, and the cases with their families that they were fitted on."""
        return Blend(Physics(SHARED, shared), Physics(OWN, own), _families(rows))

    def fit(self, rows: Sequence[tuple[Case, str]], seconds: Floats, weights: Floats) -> Blend:
        """Both fitted to other rows: cases with their families. `self` is where the search begins."""
        cases = [case for case, _ in rows]
        return replace(
            self,
            shared=physics.fit(self.shared, cases, seconds, weights),
            own=physics.fit(self.own, cases, seconds, weights),
            families=_families(rows),
        )

    def log_seconds(self, cases: Sequence[Case]) -> Floats:
        """The logarithm of each case's time."""
        known = np.array([self.families.get(case.place, 0) for case in cases])
        own = _HALF * np.minimum(known / _ENOUGH, 1.0)
        return (1 - own) * np.log(self.shared.seconds(cases)) + own * np.log(self.own.seconds(cases))

    def kernel_seconds(self, case: Case) -> Floats:
        """The time of each entry of the network, `count` kernels together, without what happens once.

        How it divides among the kernels is what SHARED says, which tells their kinds apart.
        """
        whole = float(np.exp(self.log_seconds([case])[0]) / self.shared.seconds([case])[0])
        return self.shared.kernel_seconds(case) * whole


def _families(rows: Iterable[tuple[Case, str]]) -> dict[str, int]:
    seen: dict[str, set[str]] = defaultdict(set)
    for case, family in rows:
        seen[case.place].add(family)
    return {place: len(families) for place, families in seen.items()}


START = Blend.of({}, {}, ())  # the priors' means
