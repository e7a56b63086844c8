"""What a person marks: open questions, for example."""

from __future__ import annotations

from harness.grading.rubric.criterion import CriterionOptions, Judgement
from harness.stages.evidence.submission import Evidence

TITLE = "Marked by a person"
READS: tuple[str, ...] = ()


class Options(CriterionOptions):
    questions: tuple[str, ...] = ()


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """None until somebody has marked it: `harness mark`."""
    asked = f" Questions: {'; '.join(options.questions)}." if options.questions else ""
    return Judgement(None, f"Waits for a person to mark it.{asked}")
