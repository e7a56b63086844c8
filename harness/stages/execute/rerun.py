"""Runs a submission's notebook on the part of its data set that is not withheld."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness.findings import finding
from harness.inputs.assignment.sections import Dataset, ExecutionRules, OwnDataset
from harness.inputs.submission import Submission
from harness.stages.context import StageContext
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.stage_result import StageResult
from harness.stages.execute import epochs
from harness.stages.execute.rewrite import NotRewritten, Rewritten
from harness.stages.execute.stage import execute


@dataclass(frozen=True, slots=True)
class Rerun:
    """What a rerun sees of a submission, and the assignment's rules for it."""

    asked: OwnDataset
    rewritten: Callable[[], Rewritten]  # what it sees, made at first use; raises `NotRewritten`
    withheld_sha256: str  # of the images that it does not see

    def key(self) -> object:
        """The identity of what decides the result besides the submission and its training part."""
        return [self.asked.model_dump(mode="json"), self.withheld_sha256]


def rerun_context(context: StageContext, asked: OwnDataset) -> StageContext:
    """The same context with the assignment's time limit for a rerun, which trains a model."""
    if asked.rerun_seconds is None:
        return context
    seconds = {"wall_seconds": asked.rerun_seconds, "cell_seconds": asked.rerun_seconds}
    return replace(context, limits=context.limits.model_copy(update=seconds))


def rerun(
    this: Rerun, dataset: Dataset | None, rules: ExecutionRules, weights: Path | None, context: StageContext
) -> StageResult[Execution]:
    """Run the notebook on the training part.

    If it does not finish and the assignment says so, it is run again with fewer epochs, and a finding says so.
    """
    try:
        anew = this.rewritten()
    except NotRewritten as error:
        return error.result
    assert anew.rerun is not None  # ensured: there is a notebook
    result = anew.unreadable or _rerun(anew.rerun, dataset, rules, this.asked, weights, context)
    return result.model_copy(update={"findings": (*anew.findings, *result.findings)})


def _rerun(
    submission: Submission,
    dataset: Dataset | None,
    rules: ExecutionRules,
    asked: OwnDataset,
    weights: Path | None,
    context: StageContext,
) -> StageResult[Execution]:
    first = execute(submission, dataset, rules, weights, context)
    if not isinstance(first, FailedExecution) or first.status != "timeout" or first.execution is None:
        return first
    seen = epochs.pace(context.store.path(first.execution.notebook))
    if seen is None:
        return first
    limit = context.limits.wall_seconds
    slow = finding("rerun-too-slow", limit=limit / 60, done=seen.done, total=seen.total, minutes=seen.minutes(limit))
    first = first.model_copy(update={"findings": (*first.findings, slow)})
    notebook = submission.root / (submission.notebook or "")
    fewer = notebook.with_name(f"{notebook.name}.fewer")  # its suffix hides it from the rerun
    if asked.too_slow != "fewer-epochs" or not epochs.with_fewer_epochs(notebook, seen.share, fewer):
        return first
    fewer.chmod(0o644)
    whole = notebook.rename(submission.root.parent / f"{fewer.name}.whole")
    fewer.rename(notebook)
    try:
        again = execute(submission, dataset, rules, weights, context)
    finally:
        whole.rename(notebook)  # for another try of the stage
    declared = (slow, finding("rerun-fewer-epochs", share=seen.share))
    return again.model_copy(update={"findings": (*again.findings, *declared)})
