"""The physical model of a network's time: for each kernel the slower of arithmetic and memory, plus a launch.

    time = fixed + sum of device + sum of launches                       an engine, which fused the kernels beforehand
    time = fixed + ((sum of device)^4 + (sum of launches)^4)^(1/4)       where launches overlap the device's work

    device  = (compute^4 + memory^4)^(1/4)                                                         of each kernel
    launches = launch * (1 + chatter * (nodes - 1))
    compute = operations / (peak * efficiency) * (1 + idle + narrow)
    idle    = waste * parallelism / results             fewer results than units that could compute them
    narrow  = waste * (8 / input channels + 8 / output channels)          convolutions that fill no tile
    memory  = bytes / (bandwidth * efficiency)

The fourth powers are a smooth maximum: a framework launches kernels while the device still works on earlier ones, so
the slower of the two decides (PyTorch, "CUDA semantics: asynchronous execution"). For an engine, published times show
that the two add up. Efficiencies, launch times and the rest are products of factors (`factors.py`). Each factor has a
prior around 1, so a board or runtime with few rows stays near the common value (partial pooling), and one without rows
has that value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.bench.boards import runtimes
from harness.bench.boards.factors import PER_KERNEL, Case, Factor, Structure
from harness.bench.boards.network import KINDS

Floats = NDArray[np.float64]

_CORNER = 4.0
_STEPS = 200
_SETTLED = 1e-4  # smallest relative change of the logarithms' norm that counts as one
_TAILS = 4.0  # degrees of freedom of the residuals' t distribution, so that outliers have little influence
_SCALE = 0.15  # expected spread of log(measured / modelled)


@dataclass(frozen=True, slots=True)
class Physics:
    """Fitted factors: 'term / name / level / kind' -> logarithm, where it isn't the prior's mean."""

    structure: Structure
    factors: dict[str, float]

    def seconds(self, cases: Sequence[Case]) -> Floats:
        """The time of each case."""
        design = _Design(self.structure, cases)
        return np.exp(design.evaluate(design.vector(self.factors))[0])

    def kernel_seconds(self, case: Case) -> Floats:
        """The time of each entry of the network (`count` kernels together), without the fixed time.

        Where launches and the device's work overlap, it is each entry's share of the total.
        """
        design = _Design(self.structure, [case])
        return design.shares(design.vector(self.factors))


def fit(start: Physics, cases: Sequence[Case], seconds: Floats, weights: Floats) -> Physics:
    """The most probable factors given log(measured / modelled), from those of `start`."""
    from scipy.optimize import least_squares

    design = _Design(start.structure, cases)
    target = np.log(seconds)
    found = least_squares(
        design.misfits,
        design.vector(start.factors),
        design.misfit_slopes,
        args=(target, weights),
        tr_solver="lsmr",  # as good as the exact solver here, in two thirds of its time
        xtol=_SETTLED,
        ftol=_SETTLED**1.5,
        max_nfev=_STEPS,
    )
    return replace(start, factors=design.names(found.x))


class _Design:
    """Cases as flat arrays: one entry per kernel, and which factors each case takes."""

    def __init__(self, structure: Structure, cases: Sequence[Case]) -> None:
        networks = [case.network for case in cases]
        sizes = [len(network.kind) for network in networks]
        self._rows = len(cases)
        self._queued = np.array([structure.overlapping and case.runtime.unfused for case in cases])
        self._absent = {*PER_KERNEL, "fixed"} - {factor.term for factor in structure.factors}
        self._row = np.repeat(np.arange(self._rows), sizes)
        self._kind = np.concatenate([network.kind for network in networks])
        self._count = np.concatenate([network.count for network in networks])
        self._more = np.concatenate([network.nodes for network in networks]) - 1
        peak = np.repeat([runtimes.usable_peak(c.board, c.runtime, c.precision) or np.nan for c in cases], sizes)
        bandwidth = np.repeat([c.board.bandwidth() or np.nan for c in cases], sizes)
        parallel = np.repeat([runtimes.parallelism(c.board, c.runtime) for c in cases], sizes)
        operations = np.concatenate([network.operations for network in networks])
        moved = np.concatenate([case.bytes() for case in cases])
        narrow = np.concatenate([network.narrow for network in networks])
        results = np.concatenate([network.outputs for network in networks])
        zero = np.zeros_like(operations)
        self._base = {
            "compute": np.log(np.maximum(operations, 1.0) / peak),
            "idle": np.log(parallel / results),
            "narrow": np.log(np.maximum(narrow, 1e-12)),
            "memory": np.log(np.maximum(moved, 1.0) / bandwidth),
            "launch": zero,
            "chatter": zero,
        }
        self._cell = self._row * len(KINDS) + self._kind
        self._blocks: list[tuple[Factor, list[str], NDArray[np.int64], int]] = []
        means, spreads = [], []
        offset = 0
        for factor in structure.factors:
            levels = sorted({factor.level(case) for case in cases})
            index = {level: i for i, level in enumerate(levels)}
            which = np.array([index[factor.level(case)] for case in cases])
            self._blocks.append((factor, levels, which, offset))
            size = len(levels) * (len(KINDS) if factor.by_kind else 1)
            means += [factor.mean] * size
            spreads += [factor.spread] * size
            offset += size
        self.mean, self.spread = np.array(means), np.array(spreads)

    def _keys(self) -> list[str]:
        keys = []
        for factor, levels, _, _ in self._blocks:
            for level in levels:
                start = f"{factor.term} / {factor.name} / {level}"
                keys += [f"{start} / {kind}" for kind in KINDS] if factor.by_kind else [start]
        return keys

    def vector(self, factors: dict[str, float]) -> Floats:
        """The factors of these cases; the prior's mean for one that was not fitted."""
        return np.array([factors.get(key, mean) for key, mean in zip(self._keys(), self.mean, strict=True)])

    def names(self, theta: Floats) -> dict[str, float]:
        """The vector by name, without factors that the data did not change."""
        told = np.abs(theta - self.mean) > 1e-4
        return {key: round(float(x), 5) for key, x, keep in zip(self._keys(), theta, told, strict=True) if keep}

    def _logs(self, theta: Floats) -> dict[str, Floats]:
        """For each term, the logarithm of the product of its factors: per kernel, for `fixed` per case."""
        logs: dict[str, Floats] = {term: base.copy() for term, base in self._base.items()}
        logs["fixed"] = np.zeros(self._rows)
        for term in self._absent:
            logs[term][:] = -np.inf
        for factor, _, which, offset in self._blocks:
            if factor.term == "fixed":
                logs["fixed"] += theta[offset + which]
            elif factor.by_kind:
                logs[factor.term] += theta[offset + which[self._row] * len(KINDS) + self._kind]
            else:
                logs[factor.term] += theta[offset + which][self._row]
        return logs

    def parts(self, theta: Floats) -> tuple[dict[str, Floats], Floats]:
        """Intermediate values for the derivatives, and the time of each entry."""
        logs = self._logs(theta)
        idle, narrow = np.exp(logs["idle"]), np.exp(logs["narrow"])
        filled = 1 + idle + narrow
        compute = np.exp(logs["compute"]) * filled
        memory = np.exp(logs["memory"])
        core = _rounded_maximum(compute, memory)
        share = (compute / core) ** _CORNER
        launch, chatter = np.exp(logs["launch"]), np.exp(logs["chatter"])
        slopes = {
            "compute": core * share * self._count,
            "idle": core * share * idle / filled * self._count,
            "narrow": core * share * narrow / filled * self._count,
            "memory": core * (1 - share) * self._count,
            "launch": launch * (1 + chatter * self._more) * self._count,
            "chatter": launch * chatter * self._more * self._count,
            "fixed": np.exp(logs["fixed"]),
        }
        return slopes, core * self._count + slopes["launch"]

    def _sides(self, slopes: dict[str, Floats], entries: Floats) -> tuple[Floats, Floats, Floats]:
        """For each case: the sum of launches, the sum of the device's work, and the time of both together."""
        launches = np.bincount(self._row, slopes["launch"], self._rows).astype(np.float64)
        device = np.bincount(self._row, entries - slopes["launch"], self._rows).astype(np.float64)
        both = np.where(self._queued, _rounded_maximum(launches, device), launches + device)
        return launches, device, both

    def shares(self, theta: Floats) -> Floats:
        """Each entry's contribution to its case's time, without the fixed time."""
        slopes, entries = self.parts(theta)
        launches, device, both = self._sides(slopes, entries)
        return np.asarray(entries * (both / (launches + device))[self._row])

    def evaluate(self, theta: Floats) -> tuple[Floats, Floats]:
        """log(seconds) of each case, and its derivatives with respect to the factors' logarithms."""
        slopes, entries = self.parts(theta)
        launches, device, both = self._sides(slopes, entries)
        total = both + slopes["fixed"]
        of_launch = np.where(self._queued, (launches / both) ** (_CORNER - 1), 1.0)[:, None]
        of_device = np.where(self._queued, (device / both) ** (_CORNER - 1), 1.0)[:, None]
        cells = {
            term: np.bincount(self._cell, slopes[term], self._rows * len(KINDS)).reshape(self._rows, len(KINDS))
            * (of_launch if term in ("launch", "chatter") else of_device)
            for term in PER_KERNEL
        }
        jacobian = np.zeros((self._rows, len(theta)))
        every = np.arange(self._rows)
        for factor, _, which, offset in self._blocks:
            if factor.term == "fixed":
                jacobian[every, offset + which] = slopes["fixed"]
            elif factor.by_kind:
                columns = offset + which[:, None] * len(KINDS) + np.arange(len(KINDS))
                jacobian[every[:, None], columns] = cells[factor.term]
            else:
                jacobian[every, offset + which] = cells[factor.term].sum(axis=1)
        return np.log(total), jacobian / total[:, None]

    def misfits(self, theta: Floats, target: Floats, weights: Floats) -> Floats:
        """Of each case, then of each factor: half of their squares add up to minus the logarithm of the posterior.

        Residuals have a Student distribution, so a case's misfit grows only as the root of a logarithm.
        """
        residual = (target - self.evaluate(theta)[0]) / _SCALE
        misfit = np.sign(residual) * np.sqrt(weights * (_TAILS + 1) * np.log1p(residual**2 / _TAILS))
        return np.concatenate([misfit, (theta - self.mean) / self.spread])

    def misfit_slopes(self, theta: Floats, target: Floats, weights: Floats) -> Floats:
        """The derivative of `misfits` by each factor's logarithm."""
        modelled, jacobian = self.evaluate(theta)
        # Without a residual the quotient would be 0 / 0; next to it, it has its limit.
        residual = np.maximum(np.abs(target - modelled) / _SCALE, 1e-6)
        slope = residual / (_TAILS + residual**2) / np.sqrt(np.log1p(residual**2 / _TAILS))
        slope *= np.sqrt(weights * (_TAILS + 1)) / _SCALE
        return np.vstack([-slope[:, None] * jacobian, np.diag(1 / self.spread)])


def _rounded_maximum(one: Floats, other: Floats) -> Floats:
    """(one^4 + other^4)^(1/4), without overflow; both positive."""
    longer = np.maximum(one, other)
    return np.asarray(longer * ((one / longer) ** _CORNER + (other / longer) ** _CORNER) ** (1 / _CORNER))
