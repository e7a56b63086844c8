"""The latency model: physics fitted to published rows, plus random effects from their residuals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.bench.boards.blend import START, Blend
from harness.bench.boards.factors import Case
from harness.bench.boards.published import Measurement, publisher
from harness.bench.boards.random_effects import Pool, Related, fit_variances

Floats = NDArray[np.float64]
Variances = dict[str, dict[str, float]]  # device -> effect -> variance

# Rows of one network, board, runtime and publisher at eight image sizes have less information than eight other rows.
_KINSHIP = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The prediction for measurements: the mean of log(seconds) of each case, and the covariance."""

    log_seconds: Floats
    covariance: Floats

    @property
    def spread(self) -> Floats:
        """The standard deviation of log(measured / estimated) of each case."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 1e-8))


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Physics, and a pool of residuals for each device."""

    physics: Blend
    pools: dict[str, Pool]
    variances: Variances

    def estimate(self, wanted: Sequence[Related]) -> Estimate:
        """Estimate all cases together."""
        logs = self.physics.log_seconds([one.case for one in wanted])
        covariance = np.zeros((len(wanted), len(wanted)))
        for device, variances in self.variances.items():
            here = [index for index, one in enumerate(wanted) if one.case.device == device]
            if not here:
                continue
            if device in self.pools:
                shift, part = self.pools[device].tell([wanted[index] for index in here])
                logs[here] += shift
            else:  # no rows of that device
                part = np.eye(len(here)) * sum(variances.values())
            covariance[np.ix_(here, here)] = part
        return Estimate(logs, covariance)


def case_of(row: Measurement) -> Case:
    return Case(row.network, row.board, row.runtime, row.precision)


def related(row: Measurement) -> Related:
    return Related(case_of(row), row.architecture, row.family, publisher(row.source))


def seconds_of(rows: Sequence[Measurement]) -> Floats:
    return np.array([row.ms / 1e3 for row in rows])


def known(rows: Sequence[Measurement]) -> list[tuple[Case, str]]:
    """Each row's case and family."""
    return [(case_of(row), row.family) for row in rows]


def fit_physics(rows: Sequence[Measurement], start: Blend = START) -> Blend:
    """Fit physics alone; related rows have less weight than unrelated ones."""
    kin = [(publisher(r.source), r.board.name, str(r.runtime), r.architecture) for r in rows]
    many = Counter(kin)
    weights = np.array([1 / (1 + _KINSHIP * (many[key] - 1)) for key in kin])
    return start.fit(known(rows), seconds_of(rows), weights)


def residuals(rows: Sequence[Measurement], fitted: Blend) -> Floats:
    """log(measured / modelled) of each row."""
    return np.log(seconds_of(rows)) - fitted.log_seconds([case_of(row) for row in rows])


def build(rows: Sequence[Measurement], fitted: Blend, variances: Variances) -> Model:
    """The model whose pools hold the residuals of `rows`."""
    left = residuals(rows, fitted)
    pools = {}
    for device, of_device in variances.items():
        here = [index for index, row in enumerate(rows) if case_of(row).device == device]
        if here:
            pools[device] = Pool([related(rows[index]) for index in here], left[here], of_device)
    return Model(fitted, pools, variances)


def variances_from(rows: Sequence[Measurement], unseen: Floats) -> Variances:
    """The variance of each effect, from residuals of physics that was fitted without the row's family."""
    devices = np.array([case_of(row).device for row in rows])
    return {
        device: fit_variances(
            [related(rows[index]) for index in np.flatnonzero(devices == device).tolist()], unseen[devices == device]
        )
        for device in sorted(set(devices.tolist()))
    }
