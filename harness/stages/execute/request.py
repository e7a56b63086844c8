"""The request of the stage `execute`: a notebook, on the course's images or on the rest of the student's own."""

from __future__ import annotations

from dataclasses import dataclass

from harness.findings import sentence
from harness.inputs.assignment.sections import ExecutionRules, HandIn
from harness.inputs.given_weights import GivenWeights
from harness.inputs.images import TrainingImages
from harness.inputs.submission import Submission
from harness.stages.context import StageContext
from harness.stages.evidence.execution import Execution
from harness.stages.evidence.stage_result import Skipped, StageResult
from harness.stages.execute.rerun import Rerun, rerun
from harness.stages.execute.stage import execute
from harness.stages.stage import Stage


@dataclass(frozen=True, slots=True)
class ExecuteRequest:
    """A submission's notebook, and the data set and weights that it gets."""

    submission: Submission
    wanted: HandIn
    rules: ExecutionRules
    training: TrainingImages
    weights: GivenWeights
    withholds: bool  # whether a part of each student's data set is withheld
    rerun: Rerun | None  # if a part of this one is withheld


def _execute(request: ExecuteRequest, context: StageContext) -> StageResult[Execution]:
    if request.wanted.notebook == "ignored":
        return Skipped(reason=sentence("notebooks-not-asked"))
    if request.rules.mode == "as-handed-in":
        return Skipped(reason=sentence("no-rerun-asked"))
    if request.withholds and request.rerun is None:
        return Skipped(reason=sentence("no-withheld-part"))
    submission, dataset, hub = request.submission, request.training.dataset, request.weights.hub
    if request.rerun is not None and submission.notebook is not None:
        return rerun(request.rerun, dataset, request.rules, hub, context)
    return execute(submission, dataset, request.rules, hub, context)


EXECUTE = Stage("execute", Execution, _execute, sees_no_secret=True)
