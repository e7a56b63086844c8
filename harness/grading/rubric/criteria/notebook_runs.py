"""Whether the notebook runs from top to bottom."""

from __future__ import annotations

from pydantic import Field

from harness.findings import sentence
from harness.grading.rubric.criterion import CriterionOptions, Judgement
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence

TITLE = "The notebook runs from top to bottom"
READS: tuple[str, ...] = ("execute",)


class Options(CriterionOptions):
    partial: float = Field(0.5, ge=0, le=1, description="the share of the points that a run which stops can reach")


def mark(evidence: Evidence, options: Options, max_points: float) -> Judgement:
    """All points for a complete run; if it stops, the share `partial` of them times the share of cells that ran."""
    result = evidence.execute
    if isinstance(result, Done) and not result.value.code_cells:
        return Judgement(0.0, sentence("notebook-no-code"), more=sentence("more-notebook-runs", points=max_points))
    if isinstance(result, Done):
        return Judgement(max_points, sentence("notebook-ran", cells=result.value.code_cells))
    if isinstance(result, FailedExecution) and result.execution is not None:
        ran: Execution = result.execution
        share = ran.executed_cells / ran.code_cells if ran.code_cells else 0.0
        points = max_points * options.partial * share
        reason = sentence("notebook-stopped", ran=ran.executed_cells, cells=ran.code_cells, why=result.reason)
        return Judgement(points, reason, more=sentence("more-notebook-runs", points=max_points))
    return Judgement(0.0, result.reason, more=sentence("more-notebook-runs", points=max_points))
