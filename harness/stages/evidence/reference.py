"""The reference solution, trained and scored as a submission is."""

from __future__ import annotations

from harness.stages.evidence.benchmark import Latency
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.kernels import KernelList
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.record import Record


class Reference(Record):
    """The reference solution, trained and scored as a submission is."""

    backbone: str
    conversion: Conversion
    predictions: Predictions
    evaluation: Evaluation
    training_seconds: float
    seed: int
    latency: Latency | None = None  # of the course's own; one trained on a student's data set is not timed
    kernels: KernelList | None = None  # None where no board is asked for, or they cannot be listed
