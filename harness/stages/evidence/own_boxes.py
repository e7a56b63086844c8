"""Scores of detectors on images withheld from a student's own data set."""

from __future__ import annotations

from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.detector_reference import DetectorReference
from harness.stages.evidence.record import Interval, Record, Share


class SeenBoxes(Record):
    """The handed-in detector on the withheld images, which it has seen: shown, never graded."""

    ap50: Share | None  # None where no object counts
    ap50_interval: Interval | None
    difference: float | None = None  # AP50 - that of the rerun's detector, on the same images
    difference_interval: Interval | None = None


class OwnBoxes(Record):
    """Scores of detectors on the images withheld from the student's own data set."""

    reference: DetectorReference  # trained on the same training part
    rerun: DetectionEvaluation | None  # the detector of the rerun
    seen: SeenBoxes | None  # the detector that was handed in
