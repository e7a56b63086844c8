"""Scores detectors: pure functions, arrays in, frozen records out; no sandbox (docs/detection-scores.md)."""

from harness.stages.evaluate.detection.boxes import Detections, LabelledImages, ObjectTruth
from harness.stages.evaluate.detection.circumstances import circumstances, weak_spots
from harness.stages.evaluate.detection.cleaning import clean, clean_truth
from harness.stages.evaluate.detection.coco import coco_figures, matches
from harness.stages.evaluate.detection.counting import counting
from harness.stages.evaluate.detection.curves import at_threshold, best_f1, curve
from harness.stages.evaluate.detection.error_types import confusion, error_types
from harness.stages.evaluate.detection.false_alarms import false_alarms
from harness.stages.evaluate.detection.scores import ap_difference, ap_intervals
from harness.stages.evaluate.detection.voc import voc_figures

__all__ = [
    "Detections",
    "LabelledImages",
    "ObjectTruth",
    "ap_difference",
    "ap_intervals",
    "at_threshold",
    "best_f1",
    "circumstances",
    "clean",
    "clean_truth",
    "coco_figures",
    "confusion",
    "counting",
    "curve",
    "error_types",
    "false_alarms",
    "matches",
    "voc_figures",
    "weak_spots",
]
