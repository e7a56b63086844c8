"""What a board's speed depends on: its silicon, not its name; and how much stronger one board is than another.

Two boards with the same published figures are the same silicon: a Nano of 2 GB is one of 4 GB, and a user's copy of a
board under another name is that board.
"""

from __future__ import annotations

import functools
import math

from harness.bench.boards import runtimes
from harness.bench.boards.board import Board, load, names
from harness.bench.boards.runtimes import Runtime
from harness.stages.evidence.conversion import Precision

# Generations of ARM's cores on Jetsons, the oldest first. Their instructions per cycle are in no board's figures.
_CORES = (("A57", "Denver"), ("Carmel",), ("A78",))
_NEWER_CORE = math.log(4.0)  # how much faster per cycle one generation may be than the one before
_UNKNOWN = 1.0  # MHz, CUDA cores: a figure that is not known makes a board stronger than none

Figures = tuple[float, ...]  # natural logarithms; larger is stronger


@functools.lru_cache(maxsize=1024)
def name(board: Board) -> str:
    """The silicon's name: that of the first known board with the same figures, else the figures themselves."""
    figures = _identity(board.assumed())
    return _known().get(figures, figures)


def cores(board: Board) -> int:
    """The generation of the CPU's cores, 0 for the oldest; the newest for a CPU that is not known."""
    text = board.cpu or ""
    return next((i for i, kinds in enumerate(_CORES) if any(kind in text for kind in kinds)), len(_CORES) - 1)


@functools.lru_cache(maxsize=4096)
def figures(board: Board, runtime: Runtime, precision: Precision) -> Figures:
    """The logarithms of what limits a network's time on the board, whose figures must be known.

    GPU: peak, bandwidth, clock, CUDA cores. CPU: the cores in use, clock, bandwidth, generation of the cores.
    """
    board = board.assumed()
    bandwidth = board.bandwidth() or math.nan
    if runtime.on_cpu:
        count = min(runtime.threads or board.cpu_cores or 1, board.cpu_cores or 1)
        return (
            math.log(count), math.log(board.cpu_max_ghz or math.nan), math.log(bandwidth), cores(board) * _NEWER_CORE,
        )  # fmt: skip
    peak = runtimes.usable_peak(board, runtime, precision) or math.nan
    return (
        math.log(peak), math.log(bandwidth), math.log(board.gpu_max_mhz or _UNKNOWN),
        math.log(board.cuda_cores or _UNKNOWN),
    )  # fmt: skip


def excess(one: Figures, other: Figures) -> float:
    """The logarithm of the factor by which `one` is stronger where it is strongest; 0 where it is nowhere stronger."""
    return max(0.0, *(a - b for a, b in zip(one, other, strict=True)))


def _identity(board: Board) -> str:
    return (
        f"{board.generation} {board.cuda_cores} {board.gpu_max_mhz} {board.fp32_tflops} {board.fp16_tflops} "
        f"{board.int8_tops} {board.memory_bandwidth_gb_s} {cores(board)} {board.cpu_cores} {board.cpu_max_ghz}"
    )


@functools.cache
def _known() -> dict[str, str]:
    """Figures -> the board whose name stands for them; one with figures of its own goes first."""
    every = sorted((load(name) for name in names()), key=lambda board: (board.assumed_like is not None, board.name))
    found: dict[str, str] = {}
    for board in every:
        found.setdefault(_identity(board.assumed()), board.name)
    return found
