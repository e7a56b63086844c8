"""Which model of a hand-in is graded: the one that its notebook made, or the one that was handed in."""

from __future__ import annotations

from pathlib import Path

from harness.assignment import Assignment
from harness.evidence import Blob, Done, Execution, FailedExecution, Skipped, StageResult
from harness.findings import finding
from harness.intake.parts import COMPANIONS, MODEL_SUFFIXES
from harness.stages.convert import HandedModel
from harness.store import Store
from harness.submission import Submission


def model_to_grade(
    submission: Submission, executed: StageResult[Execution], assignment: Assignment, store: Store
) -> HandedModel | None:
    """The model that the notebook made, else the one handed in."""
    made = produced(executed)
    models = [blob for blob in made if Path(blob.name).suffix.lower() in MODEL_SUFFIXES]
    if models:
        best = min(models, key=lambda blob: MODEL_SUFFIXES.index(Path(blob.name).suffix.lower()))
        companions = {blob.name: store.path(blob) for blob in made if blob.name in COMPANIONS}
        withholds = assignment.withholds
        handed_in = {} if withholds else {path.name: submission.root / path for path in submission.companions}
        return HandedModel(store.path(best), handed_in | companions)
    if assignment.withholds:
        return None  # what was handed in has seen the withheld pictures
    return handed_in_model(submission) if assignment.handin.model != "ignored" else None


def handed_in_model(submission: Submission) -> HandedModel | None:
    """The model that lies in the hand-in, with its companions."""
    if submission.model is None:
        return None
    return HandedModel(
        submission.root / submission.model,
        {path.name: submission.root / path for path in submission.companions},
    )


def produced(executed: StageResult[Execution]) -> tuple[Blob, ...]:
    """The files that the notebook's run wrote, as far as it came."""
    if isinstance(executed, Done):
        return executed.value.produced
    if isinstance(executed, FailedExecution) and executed.execution is not None:
        return executed.execution.produced
    return ()


def no_model(assignment: Assignment) -> Skipped:
    """Why there is nothing to grade."""
    if assignment.withholds:
        nothing = finding("rerun-without-model")
        return Skipped(reason=nothing.message, findings=(nothing,))
    return Skipped(
        reason="There is no model: none was handed in, and the notebook saved none.",
        findings=(finding("no-model"),),
    )
