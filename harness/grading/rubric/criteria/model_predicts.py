"""Whether the model loads and answers for every held-out image."""

from __future__ import annotations

from harness.findings import sentence
from harness.grading.rubric.criterion import CriterionOptions, Judgement
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import OF_ANOTHER_TASK, Evidence

TITLE = "The model can be loaded and predicts"
READS: tuple[str, ...] = ("predict", "detect")


class Options(CriterionOptions):
    pass


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """All points or none."""
    is_detector = evidence.detect != OF_ANOTHER_TASK
    answered = evidence.detect if is_detector else evidence.predict
    if isinstance(answered, Done):
        return Judgement(max_points, sentence("predicted-all", images=answered.value.images))
    stopped = evidence.convert if not is_detector and not isinstance(evidence.convert, Done) else answered
    reason = "" if isinstance(stopped, Done) else stopped.reason
    return Judgement(0.0, reason, more=sentence("more-predicts", points=max_points))
