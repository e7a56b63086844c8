"""The stage `boards`: predictions for Jetson-class boards."""

from __future__ import annotations

from typing import Literal

from harness.stages.evidence.record import Record, Share

BoardBand = Literal["much faster", "faster", "as fast", "slower", "much slower", "far slower"]  # than the reference


class BoardRatio(Record):
    """A model's predicted latency divided by the reference's on the same board; what is common to both cancels."""

    reference_ms: float
    ratio: float
    interval_90: tuple[float, float]
    band: BoardBand


class BoardLatency(Record):
    """A prediction for one board and runtime."""

    board: str  # its title
    runtime: str
    precision: str
    latency_ms: float
    interval_90: tuple[float, float]
    rests_on: str = ""  # the nearest published row
    rows: int = 0  # published rows of this board and runtime
    new: tuple[str, ...] = ()  # in which ways the case is unlike all rows; each widens the interval
    notes: tuple[str, ...] = ()
    fits: bool | None = None  # None where the board's memory is not published
    needed_bytes: int | None = None  # estimated memory
    available_bytes: int | None = None  # the board's memory, less the system's share
    versus_reference: BoardRatio | None = None  # None without a reference whose kernels are known


class RooflineKernel(Record):
    """A kernel of the model on a board's roofline."""

    name: str
    operations: float
    bytes: float
    reached_per_s: float | None = None  # predicted operations per second; None: only bounded by the roof

    @property
    def intensity(self) -> float:
        """Operations per byte moved."""
        return self.operations / self.bytes


class Roofline(Record):
    """A board's limits, and the model's kernels below them."""

    board: str
    precision: str
    peak_operations_per_s: float
    bandwidth_bytes_per_s: float
    kernels: tuple[RooflineKernel, ...]


class CostlyLayer(Record):
    """One of the costliest layers."""

    name: str
    operator: str  # the kernel's kind
    share: Share  # of the predicted time
    parameters: int
    operations: float


class BoardPredictions(Record):
    """All predictions for one model. The layers and the advice are those of the first board."""

    model: str
    reason: str = ""  # why nothing is predicted; empty when something is
    boards: tuple[BoardLatency, ...] = ()
    unknown: str = ""  # a sentence about operators that the prediction leaves out
    not_listed: tuple[str, ...] = ()  # those of them that can do a network's work
    rooflines: tuple[Roofline, ...] = ()
    costliest: tuple[CostlyLayer, ...] = ()
    advice: tuple[str, ...] = ()  # what would make it faster, a sentence each
