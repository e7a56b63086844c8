"""Predictions of a model's latency on a board, with interval and the nearest published rows."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from harness.bench.boards import architectures, fitted, intervals, runtimes
from harness.bench.boards.board import Board
from harness.bench.boards.calibration import Calibration
from harness.bench.boards.factors import Case
from harness.bench.boards.intervals import Novelty, Seen
from harness.bench.boards.latency_model import Model
from harness.bench.boards.network import Network
from harness.bench.boards.published import Measurement
from harness.bench.boards.random_effects import Related
from harness.bench.boards.runtimes import Runtime
from harness.stages.evidence.boards import BoardBand
from harness.stages.evidence.conversion import Precision
from harness.stages.evidence.kernels import KernelList
from harness.stages.evidence.record import Record

_SAME_NETWORK, _SAME_FAMILY = 0.85, 0.4  # share of the work in layers of the same shape
_WIDER: dict[Precision, tuple[Precision, ...]] = {"int8": ("fp16", "fp32"), "fp16": ("fp32",), "fp32": ()}
_NO_INT8 = ("pytorch", "torchscript", "tensorflow", "ncnn-vulkan")  # their GPU convolutions do not support int8
_MOST_ROWS_SHOWN = 5
YOURS = "your measurements"


class Prediction(Record):
    """One board, runtime and precision, batch 1, the model alone: no decoding, resizing or copying."""

    board: str
    runtime: str
    precision: Precision
    latency_ms: float
    low_ms: float  # the 90 % interval: it contains the measurement in nine of ten such cases
    high_ms: float
    throughput_per_s: float
    new: tuple[Novelty, ...]  # in which ways, besides its source, the case is unlike all rows; each widens the interval
    sibling: str  # the nearest known network, or empty
    rests_on: tuple[str, ...]  # the nearest rows, nearest first
    rows: int  # of this board and runtime
    notes: tuple[str, ...] = ()


class Ratio(Record):
    """One model's latency divided by another's on the same board; what is common to both cancels."""

    ratio: float
    low: float
    high: float
    band: BoardBand


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A network, and the labels that relate it to others."""

    network: Network
    architecture: str
    family: str
    likeness: float


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """The model, its rows, and what these cover."""

    model: Model
    rows: Sequence[Measurement]
    seen: Seen


def predict(
    kernels: KernelList,
    boards: Sequence[Board],
    asked_runtimes: Sequence[Runtime],
    precisions: Sequence[Precision],
    calibration: Calibration | None = None,
) -> tuple[Prediction, ...]:
    """Every board with every runtime and precision, fastest first for each board.

    Combinations for which no peak is known are left out. Without kernels there is nothing to predict.
    """
    asked = _asked(Network.of(kernels))
    known = _known(calibration)
    found = []
    for board in boards:
        whole = board.assumed()
        for runtime in asked_runtimes:
            if whole.bandwidth() is None or runtimes.usable_peak(whole, runtime, "fp32") is None:
                continue
            found += [
                _one(asked, board, runtime, precision, known)
                for precision in precisions
                if precision != "int8" or runtime.name not in _NO_INT8
            ]
    return tuple(found)


def ratio(one: KernelList, other: KernelList, board: Board, runtime: Runtime, precision: Precision) -> Ratio:
    """How much longer `one` takes than `other` on the same board."""
    known = _known(None)
    cases = [_related(_asked(Network.of(kernels)), board.assumed(), runtime, precision) for kernels in (one, other)]
    estimate = known.model.estimate(cases)
    covariance = estimate.covariance
    spread = float(np.sqrt(max(0.0, covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])))
    width = max(_width(known.seen.novelties(case), case) for case in cases)
    middle = float(estimate.log_seconds[0] - estimate.log_seconds[1])
    half = intervals.NORMAL * spread * width
    value = float(np.exp(middle))
    return Ratio(ratio=value, low=float(np.exp(middle - half)), high=float(np.exp(middle + half)), band=band(value))


# The upper end of each band, as times the reference's latency.
BANDS: tuple[tuple[float, BoardBand], ...] = (
    (0.5, "much faster"),
    (0.8, "faster"),
    (1.25, "as fast"),
    (2.0, "slower"),
    (5.0, "much slower"),
)
_BEYOND: BoardBand = "far slower"


def band(value: float) -> BoardBand:
    """The band of a ratio; predictions are not precise enough for more."""
    return next((name for upper, name in BANDS if value <= upper), _BEYOND)


def _known(calibration: Calibration | None) -> _Known:
    if calibration is None:
        return _published()
    rows = [*fitted.rows(), *calibration.rows]
    return _Known(calibration.model(), rows, Seen(rows))


@functools.cache
def _published() -> _Known:
    return _Known(fitted.latency_model(), fitted.rows(), Seen(fitted.rows()))


def _asked(network: Network) -> _Asked:
    name, likeness = architectures.nearest(network)
    if likeness >= _SAME_NETWORK:
        return _Asked(network, name, architectures.family(name), likeness)
    if likeness >= _SAME_FAMILY:
        return _Asked(network, f"like {name}", architectures.family(name), likeness)
    return _Asked(network, "a new network", "a new family", likeness)


def _related(asked: _Asked, board: Board, runtime: Runtime, precision: Precision) -> Related:
    return Related(Case(asked.network, board, runtime, precision), asked.architecture, asked.family, YOURS)


def _one(asked: _Asked, board: Board, runtime: Runtime, precision: Precision, known: _Known) -> Prediction:
    cases = [_related(asked, board.assumed(), runtime, p) for p in (precision, *_may_fall_back(runtime, precision))]
    estimate = known.model.estimate(cases)
    # An engine may use a wider precision instead, so a prediction is at most as long as that one.
    best = int(np.argmin(estimate.log_seconds))
    novelties = known.seen.novelties(cases[0])
    middle = float(estimate.log_seconds[best])
    half = float(intervals.NORMAL * max(estimate.spread[0], estimate.spread[best]) * _width(novelties, cases[0]))
    here = [row for row in known.rows if row.board.name == board.name and row.runtime.name == runtime.name]
    notes = []
    if board.assumed_like:
        notes.append(f"nobody publishes all peaks of {board.title}: those of {board.assumed_like} stand in")
    if best:
        notes.append(f"{precision} is predicted to be no faster than {cases[best].case.precision}")
    return Prediction(
        board=board.name,
        runtime=str(runtime),
        precision=precision,
        latency_ms=float(np.exp(middle) * 1e3),
        low_ms=float(np.exp(middle - half) * 1e3),
        high_ms=float(np.exp(middle + half) * 1e3),
        throughput_per_s=float(np.exp(-middle)),
        new=tuple(novelty for novelty in novelties if novelty != "source"),  # nearly every case has a new source
        sibling=asked.architecture.removeprefix("like ") if asked.likeness >= _SAME_FAMILY else "",
        rests_on=_nearest_rows(cases[0], known.rows),
        rows=len(here),
        notes=tuple(notes),
    )


def _may_fall_back(runtime: Runtime, precision: Precision) -> tuple[Precision, ...]:
    """Wider precisions that the runtime uses where they are faster. On a CPU, int8 can be slower than fp16."""
    return () if runtime.on_cpu and precision == "int8" else _WIDER[precision]


def _width(novelties: Sequence[Novelty], wanted: Related) -> float:
    return intervals.width(fitted.shipped().widths, novelties, wanted.case.runtime.name, wanted.case.device)


def _nearest_rows(wanted: Related, known: Sequence[Measurement]) -> tuple[str, ...]:
    """The rows that say most about the case."""

    def distance(row: Measurement) -> tuple[bool, ...]:
        return (
            row.runtime.name != wanted.case.runtime.name,
            row.family != wanted.family,
            row.board.name != wanted.case.board.name,
            row.architecture != wanted.architecture,
            row.precision != wanted.case.precision,
        )

    near = sorted((row for row in known if row.runtime.name == wanted.case.runtime.name), key=distance)
    return tuple(
        f"{row.model} {row.height}x{row.width} {row.precision} on {row.board.name}: {row.ms:.3g} ms "
        f"({row.source}, line {row.line})"
        for row in near[:_MOST_ROWS_SHOWN]
    )


def runtime_named(name: str) -> Runtime | None:
    """The runtime with this harness's name for it, such as `ncnn-cpu:4` for 4 cores."""
    plain, _, threads = name.partition(":")
    if plain not in get_args(runtimes.RuntimeName) or (threads and not threads.isdecimal()):
        return None
    return Runtime(plain, int(threads or 0) if plain in runtimes.CPU_RUNTIMES else 0)  # type: ignore[arg-type]


def calibrated(file: Path) -> Calibration:
    """A calibration that `harness calibrate` wrote."""
    return Calibration.read(file)
