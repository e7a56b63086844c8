"""A criterion that a person marks: open questions, for example."""

from __future__ import annotations

from harness.findings import sentence
from harness.grading.rubric.criterion import CriterionOptions, Judgement
from harness.stages.evidence.submission import Evidence

TITLE = "Marked by a person"
READS: tuple[str, ...] = ()


class Options(CriterionOptions):
    questions: tuple[str, ...] = ()


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """No points until a person marks it with `harness mark`."""
    if options.questions:
        return Judgement(None, sentence("waits-with-questions", questions="; ".join(options.questions)))
    return Judgement(None, sentence("waits"))
