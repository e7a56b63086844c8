"""What a person marks: open questions, for example."""

from __future__ import annotations

from harness.evidence.handin import Evidence
from harness.grade.criterion import CriterionOptions, Judgement

TITLE = "Marked by a person"
READS: tuple[str, ...] = ()


class Options(CriterionOptions):
    questions: tuple[str, ...] = ()


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """None until somebody has marked it: `harness mark`."""
    asked = f" Questions: {'; '.join(options.questions)}." if options.questions else ""
    return Judgement(None, f"Waits for a person to mark it.{asked}")
