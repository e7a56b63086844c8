"""Scores of a detector, as the stage `score_boxes` would give them; tests change the part that they are about."""

from __future__ import annotations

from typing import Any

from example_detector import detector_answers, kept_nowhere
from example_evidence import BLOB, evidence

from harness.stages.evaluate.detection.circumstances import Circumstances
from harness.stages.evaluate.detection.coco import CocoScores
from harness.stages.evaluate.detection.counting import Counting, CountScores
from harness.stages.evaluate.detection.curves import OperatingPoint
from harness.stages.evaluate.detection.error_types import ErrorType, ErrorTypes
from harness.stages.evidence.detection_scores import DetectionEvaluation, VocScores
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import OF_ANOTHER_TASK, Evidence

NO_ERRORS = ErrorTypes(*[ErrorType(0, 0.0)] * 6, false_alarms_cost=0.0, missed_cost=0.0)


def coco(ap: float, ap50: float) -> CocoScores:
    return CocoScores(ap, ap50, ap, None, ap, ap, ap, ap, ap, None, ap, ap)


def detection_evaluation(**changes: Any) -> DetectionEvaluation:
    point = OperatingPoint(0.5, 80, 90, 100)
    counts = CountScores(50, 30, 0.6, (0.46, 0.72), 0.5, 0.1, ((0, 30), (1, 20)))
    values: dict[str, Any] = {
        "images": 50, "scenes": 50, "classes": ("cup", "duck"), "objects": 100, "scores": coco(0.5, 0.8),
        "ap_interval": (0.4, 0.6), "ap50_interval": (0.7, 0.88), "voc": VocScores(eleven_points=0.78, all_points=0.8),
        "per_class": (), "threshold": 0.5, "at_threshold": point, "on_board": point,
        "counting": Counting(0.5, counts, 25, (counts, counts)), "errors": NO_ERRORS, "confusion": ((1,),),
        "circumstances": Circumstances(0.5, None, (), (), (), (), ()), "reference_ap": 0.55, "reference_ap50": 0.9,
        "difference": -0.1, "difference_interval": (-0.2, 0.0), "ap_difference": -0.05,
        "ap_difference_interval": (-0.15, 0.05), "reference_exact_share": 0.8,
        "exact_difference_interval": (-0.35, 0.0),
    }  # fmt: skip
    return DetectionEvaluation(**values | changes)


def detectors_evidence(**changes: Any) -> Evidence:
    """A detector's evidence; `changes` are those of its scores."""
    return evidence(
        predict=OF_ANOTHER_TASK,
        evaluate=OF_ANOTHER_TASK,
        detect=Done(value=detector_answers(kept_nowhere(BLOB)), origin="measured-inside"),
        score_boxes=Done(value=detection_evaluation(**changes), origin="measured-outside"),
    )
