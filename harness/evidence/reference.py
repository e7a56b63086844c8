"""The reference solution, trained and scored as a hand-in is."""

from __future__ import annotations

from harness.evidence.benchmark import Latency
from harness.evidence.conversion import Conversion
from harness.evidence.evaluation import Evaluation
from harness.evidence.kernels import KernelList
from harness.evidence.predictions import Predictions
from harness.evidence.record import Record


class Reference(Record):
    """The reference solution, trained and scored as a hand-in is."""

    backbone: str
    conversion: Conversion
    predictions: Predictions
    evaluation: Evaluation
    latency: Latency
    training_seconds: float
    seed: int
    kernels: KernelList | None = None  # None where no board is asked for, or they cannot be listed
