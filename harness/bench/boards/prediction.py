"""Predictions of a model's latency on a board, with interval and the nearest published rows."""

from __future__ import annotations

import functools
import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np

from harness.bench.boards import architectures, fitted, intervals, runtimes, scoring, silicon
from harness.bench.boards.board import Board
from harness.bench.boards.calibration import Calibration
from harness.bench.boards.intervals import About, Novelty, Seen
from harness.bench.boards.latency_model import Asked, Model
from harness.bench.boards.network import Network
from harness.bench.boards.published import Measurement
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
_KINDS = {"product": "attention"}  # the layer that multiplies two tensors
_TITLES: dict[str, str] = {
    "tensorrt": "TensorRT", "tf-trt": "TF-TRT", "pytorch": "PyTorch", "torchscript": "TorchScript",
    "tensorflow": "TensorFlow", "onnxruntime-cuda": "ONNX Runtime", "onnxruntime-cpu": "ONNX Runtime",
}  # fmt: skip


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
class _Network:
    """A network, and the known ones that it is like."""

    network: Network
    architecture: str
    family: str
    likeness: float

    def about(self, board: Board, runtime: Runtime, precision: Precision) -> About:
        return About(Asked(self.network, board.assumed(), runtime, precision), self.family, YOURS)


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """The model, its rows, and what these cover."""

    model: Model
    rows: Sequence[Measurement]
    silicons: Sequence[str]  # of the rows
    seen: Seen

    @staticmethod
    def of(model: Model, rows: Sequence[Measurement]) -> _Known:
        return _Known(model, rows, [silicon.name(row.board) for row in rows], Seen(rows))


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
    network = _network(Network.of(kernels))
    known = _known(calibration)
    found: dict[tuple[int, Runtime, Precision], Prediction] = {}
    for runtime in asked_runtimes:
        usable = [index for index, board in enumerate(boards) if _predictable(board, runtime)]
        for precision in precisions:
            if not usable or (precision == "int8" and runtime.name in _NO_INT8):
                continue
            times = _log_times(network, [boards[index] for index in usable], runtime, precision, known)
            for index, own in zip(usable, times, strict=True):
                found[index, runtime, precision] = _one(network, boards[index], runtime, precision, own, known)
    every = itertools.product(range(len(boards)), asked_runtimes, precisions)
    return tuple(found[key] for key in every if key in found)


def _predictable(board: Board, runtime: Runtime) -> bool:
    """Whether the peak and the bandwidth are known."""
    whole = board.assumed()
    return whole.bandwidth() is not None and runtimes.usable_peak(whole, runtime, "fp32") is not None


def ratio(one: KernelList, other: KernelList, board: Board, runtime: Runtime, precision: Precision) -> Ratio:
    """How much longer `one` takes than `other` on the same board."""
    known = _known(None)
    networks = [_network(Network.of(kernels)) for kernels in (one, other)]
    first, second = (_log_times(network, [board], runtime, precision, known)[0] for network in networks)
    shipped, seen = fitted.shipped(), known.seen
    cases = [network.about(board, runtime, precision) for network in networks]
    new = any("family" in seen.novelties(case) for case in cases)
    alike = cases[0].family == cases[1].family
    widths = shipped.ratios["a new family" if new else "siblings" if alike else "known families"]
    half = widths.get(runtime.name, widths[runtime.device])
    if seen.unmeasured_layers(cases[0]) != seen.unmeasured_layers(cases[1]):
        half = max(half, intervals.width(shipped.widths, ("layers",), runtime.name, runtime.device))
    middle = first.middle - second.middle
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
    return _Known.of(calibration.model(), rows)


@functools.cache
def _published() -> _Known:
    return _Known.of(fitted.latency_model(), fitted.rows())


def _network(network: Network) -> _Network:
    name, likeness = architectures.nearest(network)
    if likeness >= _SAME_NETWORK:
        return _Network(network, name, architectures.family(name), likeness)
    if likeness >= _SAME_FAMILY:
        return _Network(network, f"like {name}", architectures.family(name), likeness)
    return _Network(network, "a new network", "a new family", likeness)


@dataclass(frozen=True, slots=True)
class _LogTimes:
    """log(seconds) of a prediction and of the ends of its interval, and the precision that decided it."""

    middle: float
    low: float
    high: float
    precision: Precision


def _log_times(
    network: _Network, boards: Sequence[Board], runtime: Runtime, precision: Precision, known: _Known
) -> list[_LogTimes]:
    """Of each board. An engine may use a wider precision instead, so a prediction is at most as long as that one.

    The intervals of all precisions have the widths of the one that was asked for, so that each is in the boards' order.
    """
    cases = [network.about(board, runtime, precision) for board in boards]
    allowed = (precision, *_may_fall_back(runtime, precision))
    estimates = known.model.estimate([replace(case.asked, precision=one) for case in cases for one in allowed])
    found = []
    for index, case in enumerate(cases):
        own = estimates[index * len(allowed) : (index + 1) * len(allowed)]
        ends = [scoring.interval(estimate, known.seen, case, fitted.shipped().widths) for estimate in own]
        middles = [estimate.log_seconds for estimate in own]
        decided = allowed[int(np.argmin(middles))]
        found.append(_LogTimes(min(middles), min(low for low, _ in ends), min(high for _, high in ends), decided))
    return found


def _one(
    network: _Network, board: Board, runtime: Runtime, precision: Precision, times: _LogTimes, known: _Known
) -> Prediction:
    case = network.about(board, runtime, precision)
    same = silicon.name(board)
    of_runtime = [
        (row, name == same)
        for row, name in zip(known.rows, known.silicons, strict=True)
        if row.runtime.name == runtime.name
    ]
    notes = []
    if board.assumed_like:
        notes.append(
            f"not all peak speeds of {board.title} are published, so those of {board.assumed_like} were used in their "
            f"place"
        )
    if unmeasured := known.seen.unmeasured_layers(case):
        kinds = " and ".join(_KINDS.get(kind, kind) for kind in unmeasured)
        notes.append(
            f"there is no measurement of {kinds} layers with {_TITLES.get(runtime.name, runtime.name)} on this board"
        )
    if times.precision != precision:
        notes.append(f"{precision} is predicted to be no faster than {times.precision}")
    return Prediction(
        board=board.name,
        runtime=str(runtime),
        precision=precision,
        latency_ms=float(np.exp(times.middle) * 1e3),
        low_ms=float(np.exp(times.low) * 1e3),
        high_ms=float(np.exp(times.high) * 1e3),
        throughput_per_s=float(np.exp(-times.middle)),
        # nearly every case has a new source
        new=tuple(novelty for novelty in known.seen.novelties(case) if novelty != "source"),
        sibling=network.architecture.removeprefix("like ") if network.likeness >= _SAME_FAMILY else "",
        rests_on=_nearest_rows(case, network.architecture, of_runtime),
        rows=sum(here for _, here in of_runtime),
        notes=tuple(notes),
    )


def _may_fall_back(runtime: Runtime, precision: Precision) -> tuple[Precision, ...]:
    """Wider precisions that the runtime uses where they are faster. On a CPU, int8 can be slower than fp16."""
    return () if runtime.on_cpu and precision == "int8" else _WIDER[precision]


def _nearest_rows(case: About, architecture: str, known: Sequence[tuple[Measurement, bool]]) -> tuple[str, ...]:
    """The rows that say most about the case, of those of its runtime, each with whether it is of its silicon."""

    def distance(one: tuple[Measurement, bool]) -> tuple[bool, ...]:
        row, here = one
        return (
            row.family != case.family,
            not here,
            row.architecture != architecture,
            row.precision != case.asked.precision,
        )

    return tuple(
        f"{row.model} {row.height}x{row.width} {row.precision} on {row.board.name}: {row.ms:.3g} ms "
        f"({row.source}, line {row.line})"
        for row, _ in heapq.nsmallest(_MOST_ROWS_SHOWN, known, key=distance)
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
