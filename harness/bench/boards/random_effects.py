"""Random effects on the residuals of physics, by family, network, board, runtime and publisher.

log(measured / modelled) is a sum of effects, each common to all rows with the same label, plus noise. Given rows, a new
case gets the best linear unbiased prediction: the more labels it shares with a measured row, the more that row moves
it. An effect without rows keeps its whole variance, so a new family, board or runtime has a wider interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

from harness.bench.boards.factors import Case

Floats = NDArray[np.float64]

_EFFECTS = (
    "family", "family and runtime", "family, runtime and board", "network", "network and runtime",
    "network, runtime and board", "runtime and board", "board", "runtime", "runtime and precision",
    "runtime, board and precision", "publisher and runtime", "publisher, runtime and board", "size",
)  # fmt: skip
_NOISE = "noise"
_SIZE_REACH = 1.0  # of log(area): how far measurements at another size help
_USUAL, _USUAL_SPREAD = float(np.log(0.005)), 1.5  # prior of an effect's variance (logarithm)


@dataclass(frozen=True, slots=True, eq=False)
class Related:
    """A case, with the labels that relate it to others."""

    case: Case
    architecture: str
    family: str
    publisher: str

    def labels(self) -> dict[str, str]:
        device = self.case.device
        runtime, board = self.case.runtime.name, f"{self.case.board.name} {self.case.runtime.threads}"
        return {
            "family": f"{self.family} {device}",
            "family and runtime": f"{self.family} {runtime}",
            "family, runtime and board": f"{self.family} {runtime} {board}",
            "network": f"{self.architecture} {device}",
            "network and runtime": f"{self.architecture} {runtime}",
            "network, runtime and board": f"{self.architecture} {runtime} {board}",
            "runtime and board": f"{runtime} {board}",
            "board": f"{self.case.board.name} {device}",
            "runtime": runtime,
            "runtime and precision": f"{runtime} {self.case.precision}",
            "runtime, board and precision": f"{runtime} {board} {self.case.precision}",
            "publisher and runtime": f"{self.publisher} {runtime}",
            "publisher, runtime and board": f"{self.publisher} {runtime} {board}",
            "size": f"{self.architecture} {runtime} {board}",
        }


class Pool:
    """Known residuals, factorised to predict those of other cases."""

    def __init__(self, rows: Sequence[Related], residuals: Floats, variances: dict[str, float]) -> None:
        """`residuals`: log(measured / modelled) of each row. `variances`: of each effect, from `fit_variances`."""
        self._rows, self._variances = _Labelled(rows), variances
        covariance = _covariance(self._rows, self._rows, variances)
        covariance[np.diag_indices_from(covariance)] += variances[_NOISE]
        self._factor = cho_factor(covariance, lower=True)
        self._solved = cho_solve(self._factor, residuals)

    def tell(self, wanted: Sequence[Related]) -> tuple[Floats, Floats]:
        """The posterior of log(measured / modelled) of a new measurement of each case: mean and covariance matrix."""
        labelled = _Labelled(wanted)
        shared = _covariance(labelled, self._rows, self._variances)
        told = solve_triangular(self._factor[0], shared.T, lower=True)
        covariance = _covariance(labelled, labelled, self._variances) - told.T @ told
        covariance[np.diag_indices_from(covariance)] += self._variances[_NOISE]
        return shared @ self._solved, covariance


class _Labelled:
    """Rows by their labels, as arrays."""

    def __init__(self, rows: Sequence[Related]) -> None:
        labels = [row.labels() for row in rows]
        self.labels = {effect: np.array([label[effect] for label in labels]) for effect in _EFFECTS}
        self.area = np.array([np.log(row.case.network.activations.sum()) for row in rows])


def _shared(effect: str, one: _Labelled, other: _Labelled) -> Floats:
    """The correlation of the effect for each pair, 0 to 1."""
    same: Floats = (one.labels[effect][:, None] == other.labels[effect][None, :]).astype(np.float64)
    if effect == "size":
        same = same * np.exp(-(((one.area[:, None] - other.area[None, :]) / _SIZE_REACH) ** 2) / 2)
    return same


def _covariance(one: _Labelled, other: _Labelled, variances: dict[str, float]) -> Floats:
    total = np.zeros((len(one.area), len(other.area)))
    for effect in _EFFECTS:
        total += variances[effect] * _shared(effect, one, other)
    return total


def fit_variances(rows: Sequence[Related], residuals: Floats) -> dict[str, float]:
    """The most probable variance of each effect and of the noise, from residuals of rows held out from physics."""
    labelled = _Labelled(rows)
    parts = [_shared(effect, labelled, labelled) for effect in _EFFECTS] + [np.eye(len(rows))]

    def loss(logs: Floats) -> tuple[float, Floats]:
        variances = np.exp(logs)
        covariance = sum(v * part for v, part in zip(variances, parts, strict=True))
        factor = cho_factor(covariance, lower=True)
        solved = cho_solve(factor, residuals)
        inverse = cho_solve(factor, np.eye(len(rows)))
        value = residuals @ solved / 2 + np.log(np.diag(factor[0])).sum()
        slope = np.array([((inverse * part).sum() - solved @ part @ solved) / 2 for part in parts]) * variances
        away = (logs - _USUAL) / _USUAL_SPREAD**2
        return float(value + ((logs - _USUAL) @ away) / 2), slope + away

    start = np.full(len(parts), _USUAL)
    bounds = [(np.log(1e-6), np.log(2.0))] * len(parts)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 40})
    return {name: round(float(v), 6) for name, v in zip((*_EFFECTS, _NOISE), np.exp(found.x), strict=True)}
