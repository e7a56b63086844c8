"""What is predicted for boards, as the bench page shows it: plain values, made by whoever predicts."""

from __future__ import annotations

from harness.evidence import Interval, Record, Share


class BoardLatency(Record):
    """A prediction for one board and runtime."""

    board: str  # its title
    runtime: str
    precision: str
    latency_ms: float
    interval_90: Interval
    rests_on: str = ""  # which published rows
    fits: str = ""  # a sentence; empty when not known


class RooflineKernel(Record):
    """A kernel of the model on a board's roofline."""

    name: str
    operations: float
    bytes: float
    reached_per_s: float | None = None  # operations a second that are predicted; None: at most what the roof allows

    @property
    def intensity(self) -> float:
        """Operations for each byte moved."""
        return self.operations / self.bytes


class Roofline(Record):
    """What a board can do at most, and where the model's kernels stand."""

    board: str
    precision: str
    peak_operations_per_s: float
    bandwidth_bytes_per_s: float
    kernels: tuple[RooflineKernel, ...]


class CostlyLayer(Record):
    """One of the costliest layers."""

    name: str
    operator: str
    share: Share  # of the predicted time
    parameters: int
    operations: float


class Outlook(Record):
    """Everything that is predicted for one model."""

    model: str
    boards: tuple[BoardLatency, ...] = ()
    rooflines: tuple[Roofline, ...] = ()
    costliest: tuple[CostlyLayer, ...] = ()
    advice: tuple[str, ...] = ()  # what would make it faster, a sentence each
