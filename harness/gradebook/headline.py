"""The one figure that says how good a model is: accuracy or, where the task is detection, AP50."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.gradebook.results import SubmissionResult
from harness.stages.evidence.record import Interval


@dataclass(frozen=True, slots=True)
class Headline:
    """The figure, 0 to 1, and how much it is above the reference's on the same images; intervals are 95 %."""

    value: float
    interval: Interval
    difference: float | None
    difference_interval: Interval | None


def measure_of(task: str) -> Literal["accuracy", "AP50"]:
    """What the figure is called."""
    return "AP50" if task == "detection" else "accuracy"


def headline(result: SubmissionResult) -> Headline | None:
    """None where the model was not scored, or no object counts."""
    score, boxes = result.evaluation, result.detection
    if score is not None:
        return Headline(score.accuracy, score.accuracy_interval, score.difference, score.difference_interval)
    if boxes is None or boxes.scores.ap50 is None or boxes.ap50_interval is None:
        return None
    return Headline(boxes.scores.ap50, boxes.ap50_interval, boxes.difference, boxes.difference_interval)
