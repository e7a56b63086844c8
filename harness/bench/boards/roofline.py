"""A model's kernels on a board's roofline, and the costliest kernels."""

from __future__ import annotations

from typing import Literal

from harness.bench.boards import fitted, runtimes
from harness.bench.boards.board import Board
from harness.bench.boards.latency_model import Asked
from harness.bench.boards.network import Network
from harness.bench.boards.runtimes import Runtime
from harness.stages.evidence.conversion import Precision
from harness.stages.evidence.kernels import KernelList
from harness.stages.evidence.record import Record


class KernelCost(Record):
    """One kernel: its point on the roofline, and its share of the predicted time."""

    name: str
    kind: str
    operations: int
    bytes: int
    intensity: float  # operations per byte
    reached: float  # operations per second, predicted
    milliseconds: float
    share: float  # of the time of all kernels
    limited_by: Literal["arithmetic", "memory", "launch"]


class Roofline(Record):
    """The board's two limits, and the model's kernels below them."""

    board: str
    runtime: str
    precision: Precision
    peak: float  # operations per second
    bandwidth: float  # bytes per second
    kernels: tuple[KernelCost, ...]  # in the order in which they run

    def costliest(self, count: int = 10) -> tuple[KernelCost, ...]:
        """The kernels that take longest, the longest first."""
        return tuple(sorted(self.kernels, key=lambda kernel: -kernel.milliseconds)[:count])


def roofline(kernels: KernelList, board: Board, runtime: Runtime, precision: Precision) -> Roofline | None:
    """The kernels with their predicted times; None where the board's peaks are not known."""
    whole = board.assumed()
    peak, bandwidth = runtimes.usable_peak(whole, runtime, precision), whole.bandwidth()
    if peak is None or bandwidth is None or not kernels.kernels:
        return None
    network = Network.of(kernels)
    seconds = fitted.latency_model().kernel_seconds(Asked(network, whole, runtime, precision))
    total = float(seconds.sum())
    moved = network.bytes(precision)
    costs = []
    for kernel, time, bytes_moved in zip(kernels.kernels, seconds.tolist(), moved.tolist(), strict=True):
        arithmetic, memory = kernel.operations / peak, bytes_moved / bandwidth
        limited = "launch" if 4 * max(arithmetic, memory) < time else "arithmetic" if arithmetic > memory else "memory"
        costs.append(
            KernelCost(
                name=kernel.name,
                kind=kernel.kind,
                operations=kernel.operations,
                bytes=int(bytes_moved),
                intensity=kernel.operations / max(1.0, bytes_moved),
                reached=kernel.operations / time,
                milliseconds=time * 1e3,
                share=time / total,
                limited_by=limited,  # type: ignore[arg-type]
            )
        )
    return Roofline(
        board=board.name,
        runtime=str(runtime),
        precision=precision,
        peak=peak,
        bandwidth=bandwidth,
        kernels=tuple(costs),
    )


def operations(kernels: KernelList) -> int:
    """Operations of one image: 2 for each multiply-add."""
    return 2 * kernels.multiply_adds


def unknown_sentence(kernels: KernelList) -> str:
    """A sentence about operators that the prediction leaves out; empty when there are none."""
    if not kernels.unknown:
        return ""
    listed = ", ".join(f"{name} ({count})" for name, count in sorted(kernels.unknown.items()))
    return f"Operators that are not known, taken as one pass over their numbers: {listed}."
