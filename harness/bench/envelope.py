"""A board's cores and memory: what a server can imitate of it, and whether a model fits.

It is an envelope, not the board: the cores are this machine's, as many as the board has, and as fast as they are.
"""

from __future__ import annotations

import re

from harness.bench.results import Envelope, Fit
from harness.boards import Board, load, names
from harness.errors import UsageError

_GIB = 2**30
# Of its nominal memory a Jetson shows Linux about 96 %: tegrastats says 3,964 MB on a Nano 4GB, 7,772 on a Xavier NX,
# 15,656 on an Orin NX 16GB, 62,817 on an AGX Orin 64GB. The rest is carved out for firmware and video.
_VISIBLE = 0.96
# tegrastats on an idle Nano without a desktop: 613 MB in use. A desktop takes about as much again.
_SYSTEM_BYTES = 613 * 2**20


def board_cores(board: Board) -> int | None:
    """How many processor cores the board has: `6x Cortex-A78AE` -> 6, `2x Denver2 + 4x A57` -> 6."""
    counts = re.findall(r"(\d+)\s*x\s", board.cpu or "")
    return sum(map(int, counts)) or None


def available_bytes(board: Board) -> int | None:
    """The board's memory less the system's share; None when its memory is not known."""
    if board.memory_gb is None:
        return None
    return int(board.memory_gb * _GIB * _VISIBLE) - _SYSTEM_BYTES


def envelope(board: Board, cores_here: int) -> Envelope:
    """What the sandbox allows a model in the board's place. `cores_here`: as many as this machine has to give.

    Raises `UsageError` for a board whose memory is not known.
    """
    cores, memory = board_cores(board), available_bytes(board)
    if memory is None:
        raise UsageError(
            f"the memory of {board.title} is not among its figures", f"give memory_gb in {board.name}.toml"
        )
    return Envelope(
        board=board.name,
        title=board.title,
        cores=min(cores or cores_here, cores_here),
        board_cores=cores,
        memory_bytes=memory,
    )


def fits(peak_bytes: int) -> tuple[Fit, ...]:
    """For each board whose memory is known, the smallest first, whether a process of that size fits."""
    boards = sorted((load(name) for name in names()), key=lambda board: (board.memory_gb or 0, board.title))
    return tuple(
        Fit(board=board.title, peak_bytes=peak_bytes, available_bytes=available)
        for board in boards
        if (available := available_bytes(board)) is not None
    )
