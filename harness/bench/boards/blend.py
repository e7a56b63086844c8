"""The geometric mean of two fits of the same physics: one shared by all boards, one for each board alone.

The mean of two models with different errors is more accurate than the better one (Bates and Granger, "The
Combination of Forecasts", 1969). A board's own three numbers have weight one half if they were fitted to rows of two
families or more, a quarter with one family, and 0 without rows.
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
    """Both fits, and the number of families behind the numbers of each board, runtime and precision."""

    shared: Physics
    own: Physics
    families: dict[str, int]  # `Case.place` -> families

    @staticmethod
    def of(shared: dict[str, float], own: dict[str, float], rows: Iterable[tuple[Case, str]]) -> Blend:
        """A blend from fitted factors, and the cases with their families that they were fitted to."""
        return Blend(Physics(SHARED, shared), Physics(OWN, own), _families(rows))

    def fit(self, rows: Sequence[tuple[Case, str]], seconds: Floats, weights: Floats) -> Blend:
        """Both fits for other rows (cases with their families). The search begins at `self`."""
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
        """The time of each entry of the network (`count` kernels together), without the fixed time.

        SHARED, which distinguishes kinds of kernels, decides how the time divides among them.
        """
        whole = float(np.exp(self.log_seconds([case])[0]) / self.shared.seconds([case])[0])
        return self.shared.kernel_seconds(case) * whole


def _families(rows: Iterable[tuple[Case, str]]) -> dict[str, int]:
    seen: dict[str, set[str]] = defaultdict(set)
    for case, family in rows:
        seen[case.place].add(family)
    return {place: len(families) for place, families in seen.items()}


START = Blend.of({}, {}, ())  # the priors' means
