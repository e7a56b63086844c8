"""The factors whose products are the terms of `physics.py`, in two structures: shared by boards, or a board's own.

SHARED distinguishes kinds of kernels and fits each of its many factors to all boards and runtimes that have it. OWN
has three numbers for each board, runtime and precision: the share of the peak, the share of the bandwidth, the launch
time. Their errors differ, so `blend.py` uses both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.bench.boards import silicon
from harness.bench.boards.board import Board
from harness.bench.boards.network import Network
from harness.bench.boards.runtimes import Runtime
from harness.stages.evidence.conversion import Precision

Term = Literal["compute", "idle", "narrow", "memory", "launch", "chatter", "fixed"]
PER_KERNEL: tuple[Term, ...] = ("compute", "idle", "narrow", "memory", "launch", "chatter")  # `fixed` is per case


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A network on a board, with runtime and precision.

    `silicon` and `generation` are the levels that its factors have. Both are empty for a board that was not measured:
    the common values alone depend on nothing but its peak and bandwidth, so that a weaker one is nowhere faster.
    """

    network: Network
    board: Board
    runtime: Runtime
    precision: Precision
    silicon: str
    generation: str

    @staticmethod
    def measured(network: Network, board: Board, runtime: Runtime, precision: Precision) -> Case:
        """The case on a board with rows of its own."""
        return Case(network, board, runtime, precision, silicon.name(board), board.generation)

    @staticmethod
    def common(network: Network, board: Board, runtime: Runtime, precision: Precision) -> Case:
        """The case on a board of which nothing but its figures is known."""
        return Case(network, board, runtime, precision, "", "")

    @property
    def device(self) -> Literal["cpu", "gpu"]:
        return self.runtime.device

    @property
    def place(self) -> str:
        """Silicon, runtime and precision: the key of OWN's numbers."""
        return f"{self.silicon} {self.runtime} {self.precision}"

    def bytes(self) -> NDArray[np.float64]:
        """Bytes that each kernel moves; a runtime without fusion moves more."""
        network = self.network
        return network.bytes_unfused(self.precision) if self.runtime.unfused else network.bytes(self.precision)


@dataclass(frozen=True, slots=True)
class Factor:
    """One kind of factor: its term, what it depends on, and the mean and spread of its prior (logarithms)."""

    term: Term
    name: str
    level: Callable[[Case], str]
    mean: float
    spread: float
    by_kind: bool = False  # one for each kind of kernel


@dataclass(frozen=True, slots=True)
class Structure:
    """A set of factors. A term without factors is left out."""

    factors: tuple[Factor, ...]
    overlapping: bool  # whether launches overlap the device's work in runtimes that fuse nothing


def _device(case: Case) -> str:
    return case.device


def _device_board(case: Case) -> str:
    return f"{case.device} {case.silicon}"


def _runtime(case: Case) -> str:
    return case.runtime.name


def _runtime_precision(case: Case) -> str:
    return f"{case.runtime.name} {case.precision}"


def _board_runtime(case: Case) -> str:
    return f"{case.silicon} {case.runtime.name}"


def _board_threads(case: Case) -> str:
    return f"{_board_runtime(case)} {case.runtime.threads}"


def _gpu_precision(case: Case) -> str:
    return f"{case.device} {case.generation} {case.precision}"


def _place(case: Case) -> str:
    return case.place


# Prior means: half of the peak, 70 % of the bandwidth, 10 microseconds per launch, 100 microseconds fixed.
_COMPUTE, _MEMORY, _LAUNCH, _CHATTER, _FIXED = 0.7, 0.35, float(np.log(1e-5)), -2.0, float(np.log(1e-4))

SHARED = Structure(
    overlapping=True,
    factors=(
        Factor("compute", "kind", _device, _COMPUTE, 0.7, by_kind=True),
        Factor("compute", "kind and runtime", _runtime, 0.0, 0.35, by_kind=True),
        Factor("compute", "precision", _runtime_precision, 0.0, 0.5),
        Factor("compute", "precision and GPU", _gpu_precision, 0.0, 0.3),
        Factor("compute", "board", _device_board, 0.0, 0.2),
        Factor("compute", "board and runtime", _board_runtime, 0.0, 0.2),
        Factor("compute", "threads", _board_threads, 0.0, 0.15),
        Factor("idle", "device", _device, 1.0, 1.0),
        Factor("idle", "runtime", _runtime, 0.0, 0.5),
        Factor("narrow", "device", _device, 0.0, 1.0),
        Factor("narrow", "runtime", _runtime, 0.0, 0.5),
        Factor("memory", "kind", _device, _MEMORY, 0.5, by_kind=True),
        Factor("memory", "runtime", _runtime, 0.0, 0.4),
        Factor("memory", "board", _device_board, 0.0, 0.2),
        Factor("memory", "board and runtime", _board_runtime, 0.0, 0.15),
        Factor("launch", "device", _device, _LAUNCH, 1.0),
        Factor("launch", "kind", _device, 0.0, 0.5, by_kind=True),
        Factor("launch", "runtime", _runtime, 0.0, 1.0),
        Factor("launch", "board", _device_board, 0.0, 0.4),
        Factor("launch", "board and runtime", _board_runtime, 0.0, 0.25),
        Factor("chatter", "runtime", _runtime, _CHATTER, 1.0),
        Factor("fixed", "runtime", _runtime, _FIXED, 0.7),
    ),
)

OWN = Structure(
    overlapping=False,
    factors=(
        Factor("compute", "device", _device, _COMPUTE, 0.7),
        Factor("compute", "runtime and precision", _runtime_precision, 0.0, 0.5),
        Factor("compute", "place", _place, 0.0, 1.0),
        Factor("memory", "device", _device, _MEMORY, 0.5),
        Factor("memory", "runtime and precision", _runtime_precision, 0.0, 0.5),
        Factor("memory", "place", _place, 0.0, 1.0),
        Factor("launch", "device", _device, _LAUNCH, 1.0),
        Factor("launch", "runtime", _runtime, 0.0, 1.0),
        Factor("launch", "place", _place, 0.0, 1.0),
        Factor("chatter", "runtime", _runtime, _CHATTER, 1.0),
    ),
)
