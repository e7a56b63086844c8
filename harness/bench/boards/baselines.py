"""Baselines for the latency model: two without a fit, and a fit of three numbers to the board's own rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.bench.boards import latency_model as model
from harness.bench.boards import physics, runtimes
from harness.bench.boards.factors import Case, Factor, Structure
from harness.bench.boards.physics import Physics
from harness.bench.boards.published import Measurement

Floats = NDArray[np.float64]

_FEWEST = 3  # rows: as many as numbers


def _all(_: Case) -> str:
    return "all"


# Only some terms of physics.py; the wide priors only keep the fit from diverging.
_THREE = Structure(
    overlapping=False,
    factors=(
        Factor("compute", "place", _all, 0.7, 2.0),
        Factor("memory", "place", _all, 0.35, 2.0),
        Factor("launch", "place", _all, float(np.log(1e-5)), 3.0),
    ),
)
_EACH_OPERATOR = Factor("chatter", "none", _all, 0.0, 1e-3)  # without fusion, each operator is a launch


def unfitted(rows: Sequence[Measurement]) -> tuple[Floats, Floats]:
    """log(measured / predicted) for operations / peak, and for the kernels' roofline. Nothing is fitted."""
    naive, roofline = [], []
    for row in rows:
        peak = runtimes.peak(row.board, row.runtime, row.precision) or np.nan
        bandwidth = row.board.bandwidth() or np.nan
        network = row.network
        naive.append(2 * network.multiply_adds / peak)
        slower = np.maximum(network.operations / peak, network.bytes(row.precision) / bandwidth)
        roofline.append(float((slower * network.count).sum()))
    seconds = model.seconds_of(rows)
    return np.log(seconds / np.array(naive)), np.log(seconds / np.array(roofline))


def three_parameters(rows: Sequence[Measurement], known: Sequence[Measurement]) -> Floats:
    """log(measured / predicted) by three numbers: the share of the peak, the share of the bandwidth, the launch time.

    They are fitted to rows of other families with the same board, runtime and precision.

    NaN where fewer than three such rows are known.
    """
    errors = np.full(len(rows), np.nan)
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[model.case_of(row).place, row.family].append(index)
    places: dict[str, list[Measurement]] = defaultdict(list)
    for row in known:
        places[model.case_of(row).place].append(row)
    for (place, family), indices in groups.items():
        kept = [row for row in places[place] if row.family != family]
        if len(kept) < _FEWEST:
            continue
        factors = (*_THREE.factors, *([_EACH_OPERATOR] if kept[0].runtime.unfused else []))
        start = Physics(Structure(factors, _THREE.overlapping), {})
        fitted = physics.fit(
            start, [model.case_of(row) for row in kept], model.seconds_of(kept), np.ones(len(kept), dtype=np.float64)
        )
        wanted = [rows[index] for index in indices]
        errors[indices] = np.log(model.seconds_of(wanted) / fitted.seconds([model.case_of(row) for row in wanted]))
    return errors
