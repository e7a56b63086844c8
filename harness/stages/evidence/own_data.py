"""Scores on images withheld from a student's own data set."""

from __future__ import annotations

from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.record import Interval, Record, Share
from harness.stages.evidence.reference import Reference


class SeenScore(Record):
    """The handed-in model on the withheld images, which it has seen: shown, never graded."""

    accuracy: Share
    accuracy_interval: Interval
    difference: float | None = None  # to the rerun's model on the same images
    difference_interval: Interval | None = None
    mcnemar_p: float | None = None


class OwnData(Record):
    """Scores on the images withheld from the student's own data set."""

    reference: Reference  # the reference, trained on the same training part
    rerun: Evaluation | None  # the model of the rerun
    seen: SeenScore | None  # the model that was handed in
