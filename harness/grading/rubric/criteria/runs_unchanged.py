"""Whether the notebook runs as it was handed in, without changes of the harness."""

from __future__ import annotations

from pydantic import Field

from harness.findings import sentence
from harness.grading.rubric.criterion import CriterionOptions, Judgement
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

TITLE = "The notebook runs without being changed"
READS: tuple[str, ...] = ("execute",)


class Options(CriterionOptions):
    per_rule: float = Field(0.25, ge=0, le=1, description="share of the points that each rule which was needed takes")
    free: tuple[str, ...] = Field((), description="rules that take nothing")


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """All points, less the share `per_rule` for each rule that changed a cell; 0 for a notebook that did not run."""
    run: Execution | None = None
    if isinstance(evidence.execute, Done):
        run = evidence.execute.value
    elif isinstance(evidence.execute, FailedExecution):
        run = evidence.execute.execution
    if run is None:
        reason = evidence.execute.reason  # type: ignore[union-attr]
        more = sentence("more-unchanged", points=max_points)
        return Judgement(0.0, sentence("notebook-not-run", why=reason), more=more)
    needed = sorted({rule for change in run.changes for rule in change.rules} - set(options.free))
    points = max_points * max(0.0, 1.0 - options.per_rule * len(needed))
    if not needed:
        return Judgement(points, sentence("notebook-unchanged"))
    names = ", ".join(rule.replace("_", " ") for rule in needed)
    code = "notebook-changed-by-one" if len(needed) == 1 else "notebook-changed-by"
    more = sentence("more-without-rules", names=names, points=max_points) if points < max_points else ""
    return Judgement(points, sentence(code, rules=len(needed), names=names), more=more)
