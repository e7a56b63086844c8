"""The reference detector, trained and scored as a submission is."""

from __future__ import annotations

from harness.stages.evidence.benchmark import Latency
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.kernels import KernelList
from harness.stages.evidence.record import Record
from harness.stages.evidence.trained_detector import TrainedDetector


class DetectorReference(Record):
    """The reference detector, trained and scored as a submission is."""

    backbone: str
    answers: DetectorAnswers
    evaluation: DetectionEvaluation
    training_seconds: float
    seed: int
    files: TrainedDetector | None = None  # None on pages
    conversion: Conversion | None = None  # as an ONNX graph for timing and boards
    latency: Latency | None = None
    kernels: KernelList | None = None  # None where no board is asked for, or they cannot be listed
