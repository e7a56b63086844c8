"""A board's envelope, the cores and memory that a server can imitate, and whether a model fits.

The envelope is not the board: it has as many cores as the board, but they are this machine's and have its speed.
"""

from __future__ import annotations

from harness.bench.boards import Board, load, names
from harness.bench.results import Envelope, Fit
from harness.errors import UsageError


def envelope(board: Board, cores_here: int) -> Envelope:
    """The sandbox's limits in place of the board. `cores_here`: the number of cores that this machine can use.

    Raises `UsageError` for a board whose memory is not known.
    """
    cores, memory = board.cpu_cores, board.available_bytes()
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
        if (available := board.available_bytes()) is not None
    )
