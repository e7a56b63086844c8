"""The models of a submission: the one that its notebook made when run, the one handed in, and which is graded."""

from __future__ import annotations

from pathlib import Path

from harness.inputs.assignment import Assignment
from harness.inputs.assignment.sections import HandIn
from harness.inputs.submission import Submission
from harness.inputs.submissions.parts import COMPANIONS, MODEL_SUFFIXES
from harness.stages.convert import HandedModel
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.record import Blob
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.store import Store


def to_grade(
    submission: Submission, executed: StageResult[Execution], assignment: Assignment, store: Store
) -> HandedModel | None:
    """The model that the notebook made, else the one handed in; the other way round where both are compared.

    Where images are withheld only what the rerun wrote counts: all that was handed in has seen them.
    """
    if assignment.withholds:
        return _written(executed, store, {})
    ours, theirs = made(submission, executed, store), handed_in(submission, assignment.handin)
    return (theirs or ours) if assignment.execution.mode == "both" else (ours or theirs)


def made(submission: Submission, executed: StageResult[Execution], store: Store) -> HandedModel | None:
    """The best model that the run wrote, with what was handed in beside it where the run wrote none of that."""
    return _written(executed, store, _companions(submission))


def handed_in(submission: Submission, wanted: HandIn) -> HandedModel | None:
    """The model that was handed in; None without one, and where the assignment does not look at it."""
    if submission.model is None or wanted.model == "ignored":
        return None
    return HandedModel(submission.root / submission.model, _companions(submission))


def produced(executed: StageResult[Execution]) -> tuple[Blob, ...]:
    """The model files and their companions that a run wrote, also one that stopped half-way."""
    if isinstance(executed, Done):
        return executed.value.produced
    if isinstance(executed, FailedExecution) and executed.execution is not None:
        return executed.execution.produced
    return ()


def _written(executed: StageResult[Execution], store: Store, beside: dict[str, Path]) -> HandedModel | None:
    found = produced(executed)
    order = (*MODEL_SUFFIXES, ".zip")  # the last: a SavedModel's folder, packed as `harness/agent/notebook` does
    candidates = [blob for blob in found if Path(blob.name).suffix.lower() in order]
    if not candidates:
        return None
    best = min(candidates, key=lambda blob: order.index(Path(blob.name).suffix.lower()))
    companions = {blob.name: store.path(blob) for blob in found if blob.name in COMPANIONS}
    return HandedModel(store.path(best), beside | companions)


def _companions(submission: Submission) -> dict[str, Path]:
    return {companion.role: submission.root / companion.path for companion in submission.companions}
