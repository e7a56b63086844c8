"""The latency model: physics fitted to published rows, in the order of the boards, never faster than the roofline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from harness.bench.boards import runtimes, silicon
from harness.bench.boards.blend import START, Blend
from harness.bench.boards.board import Board
from harness.bench.boards.factors import Case
from harness.bench.boards.network import Network
from harness.bench.boards.ordering import Ordering
from harness.bench.boards.published import Measurement, publisher
from harness.bench.boards.runtimes import Runtime
from harness.stages.evidence.conversion import Precision

Floats = NDArray[np.float64]

# Rows of one network, board, runtime and publisher at eight image sizes have less information than eight other rows.
_KINSHIP = 0.3
# A board's own rows count as against half a row that was exactly as predicted: three rows move it by 6/7 of their mean.
_DOUBT = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A network to be predicted on a board."""

    network: Network
    board: Board
    runtime: Runtime
    precision: Precision

    @property
    def key(self) -> tuple[int, Runtime, Precision]:
        """What the times of measured boards depend on."""
        return id(self.network), self.runtime, self.precision


@dataclass(frozen=True, slots=True, eq=False)
class Tier:
    """Boards that were measured, and what their fitted times, log(seconds), are for a case."""

    boards: tuple[Board, ...]
    ordering: Ordering
    log_seconds: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The prediction of one case.

    Later tiers overrule earlier ones: boards measured with other runtimes alone, boards measured with this runtime,
    boards that the user measured with it.
    """

    asked: Asked
    own: float  # log(seconds) from the common factors alone
    tiers: tuple[Tier, ...]
    bound: float  # the roofline's log(seconds)

    @property
    def log_seconds(self) -> float:
        """The logarithm of the predicted time in seconds."""
        return self.moved(lambda _: 0.0)

    def moved(self, by: Callable[[Board | None], float]) -> float:
        """The logarithm of the time in seconds when each board's own is moved `by`; the order of boards stays.

        `by(None)`: the same for every board that was not measured, or two of them could change places.
        """
        value = self.own + by(None)
        for tier in self.tiers:
            shifts = np.array([by(board) for board in tier.boards], dtype=np.float64)
            value = tier.ordering.extended(tier.log_seconds + shifts, value)
        return max(value, self.bound)

    def interval(self, half: Callable[[Board | None], float]) -> tuple[float, float]:
        """The ends of an interval, log(seconds); `half`: half of its width (log) on that board, see `moved`."""
        return self.moved(lambda board: -half(board)), self.moved(half)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Physics, the boards that it was fitted to, and the user's measurements, if there are any."""

    physics: Blend
    boards: dict[str, tuple[tuple[Board, ...], ...]]  # runtime -> a board for each silicon of its first two tiers
    others: dict[str, tuple[Board, ...]]  # device -> a board for each silicon, for a runtime without rows
    shifts: dict[tuple[str, str], tuple[Board, float]] = field(default_factory=dict)  # (silicon, runtime) -> log

    def estimate(self, wanted: Sequence[Asked]) -> list[Estimate]:
        """Estimate each case; the peak and the bandwidth of its board must be known."""
        wanted_once = {one.key: one for one in wanted}
        every = [
            Case.measured(one.network, board, one.runtime, one.precision)
            for one in wanted_once.values()
            for tier in self._tiers(one.runtime)
            for board in tier
        ]
        every += [Case.common(one.network, one.board, one.runtime, one.precision) for one in wanted]
        logs = self.physics.log_seconds(every)
        times, start = {}, 0
        for key, one in wanted_once.items():
            times[key] = [logs[(start := start + len(tier)) - len(tier) : start] for tier in self._tiers(one.runtime)]
        return [
            self._calibrated(
                Estimate(
                    one,
                    float(own),
                    tuple(_tier(one, *tier) for tier in zip(self._tiers(one.runtime), times[one.key], strict=True)),
                    _log_bound(one),
                )
            )
            for one, own in zip(wanted, logs[start:].tolist(), strict=True)
        ]

    def _tiers(self, runtime: Runtime) -> tuple[tuple[Board, ...], ...]:
        return self.boards.get(runtime.name, (self.others.get(runtime.device, ()),))

    def kernel_seconds(self, asked: Asked) -> Floats:
        """The time of each entry of the network (`count` kernels together), without the fixed time.

        Their shares are those of the board's own factors if it was measured, else those of the common ones. None is
        faster than its roofline.
        """
        network, board, runtime, precision = asked.network, asked.board, asked.runtime, asked.precision
        names = {silicon.name(one) for tier in self._tiers(runtime) for one in tier}
        case = (Case.measured if silicon.name(board) in names else Case.common)(network, board, runtime, precision)
        (estimate,) = self.estimate([asked])
        scale = float(np.exp(estimate.log_seconds - self.physics.log_seconds([case])[0]))
        return np.maximum(self.physics.kernel_seconds(case) * scale, kernel_bounds(network, board, runtime, precision))

    def _calibrated(self, estimate: Estimate) -> Estimate:
        """The estimate with the user's own measurements of the runtime as a second tier."""
        asked = estimate.asked
        mine = [found for (_, runtime), found in self.shifts.items() if runtime == asked.runtime.name]
        if not mine:
            return estimate
        boards = tuple(board for board, _ in mine)
        alone = replace(self, shifts={})
        before = alone.estimate([replace(asked, board=board) for board in boards])
        logs = np.array([one.log_seconds + shift for one, (_, shift) in zip(before, mine, strict=True)])
        return replace(estimate, tiers=(*estimate.tiers, _tier(asked, boards, logs)))


def _tier(asked: Asked, boards: tuple[Board, ...], logs: Floats) -> Tier:
    figures = tuple(silicon.figures(board, asked.runtime, asked.precision) for board in boards)
    return Tier(boards, Ordering.of(figures, silicon.figures(asked.board, asked.runtime, asked.precision)), logs)


def _log_bound(asked: Asked) -> float:
    return float(np.log(roofline_seconds(asked.network, asked.board, asked.runtime, asked.precision)))


def roofline_seconds(network: Network, board: Board, runtime: Runtime, precision: Precision) -> float:
    """The least time: for each kernel the larger of operations / peak and bytes / bandwidth.

    Williams et al., "Roofline: an insightful visual performance model for multicore architectures", 2009.
    """
    return max(1e-12, float(kernel_bounds(network, board, runtime, precision).sum()))


def kernel_bounds(network: Network, board: Board, runtime: Runtime, precision: Precision) -> Floats:
    """The same for each entry of the network (`count` kernels together)."""
    peak = runtimes.usable_peak(board, runtime, precision) or np.inf
    bandwidth = board.bandwidth() or np.inf
    slower = np.maximum(network.operations / peak, network.bytes(precision) / bandwidth)
    return np.asarray(slower * network.count)


def case_of(row: Measurement) -> Case:
    return Case.measured(row.network, row.board, row.runtime, row.precision)


def asked_of(row: Measurement) -> Asked:
    return Asked(row.network, row.board, row.runtime, row.precision)


def seconds_of(rows: Sequence[Measurement]) -> Floats:
    return np.array([row.ms / 1e3 for row in rows])


def known(rows: Sequence[Measurement]) -> list[tuple[Case, str]]:
    """Each row's case and family."""
    return [(case_of(row), row.family) for row in rows]


def fit_physics(rows: Sequence[Measurement], start: Blend = START) -> Blend:
    """Fit physics; related rows have less weight than unrelated ones."""
    kin = [(publisher(r.source), r.board.name, str(r.runtime), r.architecture) for r in rows]
    many = Counter(kin)
    weights = np.array([1 / (1 + _KINSHIP * (many[key] - 1)) for key in kin])
    return start.fit(known(rows), seconds_of(rows), weights)


def build(rows: Iterable[Measurement], fitted: Blend) -> Model:
    """The model with the boards of `rows`, which `fitted` was fitted to."""
    devices: dict[str, dict[str, Board]] = {}
    own: dict[Runtime, dict[str, Board]] = {}
    for row in rows:
        devices.setdefault(row.runtime.device, {}).setdefault(silicon.name(row.board), row.board)
        own.setdefault(Runtime(row.runtime.name), {}).setdefault(silicon.name(row.board), row.board)
    boards: dict[str, tuple[tuple[Board, ...], ...]] = {
        runtime.name: (
            tuple(board for name, board in devices[runtime.device].items() if name not in here),
            tuple(here.values()),
        )
        for runtime, here in own.items()
    }
    return Model(fitted, boards, {device: tuple(of.values()) for device, of in devices.items()})


def calibrate(model: Model, rows: Sequence[Measurement]) -> Model:
    """The model moved to a user's rows, by one factor for each silicon and runtime."""
    apart = log_errors(model, rows)
    places: dict[tuple[str, str], list[int]] = {}
    for index, row in enumerate(rows):
        places.setdefault((silicon.name(row.board), row.runtime.name), []).append(index)
    shifts = {
        place: (rows[indices[0]].board, float(apart[indices].sum() / (len(indices) + _DOUBT)))
        for place, indices in places.items()
    }
    return replace(model, shifts=shifts)


def log_errors(model: Model, rows: Sequence[Measurement]) -> Floats:
    """log(measured / predicted) of each row."""
    estimates = model.estimate([asked_of(row) for row in rows])
    return np.asarray(np.log(seconds_of(rows)) - np.array([one.log_seconds for one in estimates]))
