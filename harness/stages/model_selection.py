"""Selects the model to grade: the one that the notebook made in its run, or the handed-in one."""

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
    """The model that the notebook made, else the handed-in one; the reverse where both are compared.

    Where images are withheld, only the rerun's model counts, because handed-in models have seen them.
    """
    if assignment.withholds:
        return _written(executed, store, {})
    ours, theirs = made(submission, executed, store), handed_in(submission, assignment.handin)
    return (theirs or ours) if assignment.execution.mode == "both" else (ours or theirs)


def made(submission: Submission, executed: StageResult[Execution], store: Store) -> HandedModel | None:
    """The best model that the run wrote, with handed-in companions where the run wrote none."""
    return _written(executed, store, _companions(submission))


def handed_in(submission: Submission, wanted: HandIn) -> HandedModel | None:
    """The handed-in model; None without one, and if the assignment ignores it."""
    if submission.model is None or wanted.model == "ignored":
        return None
    return HandedModel(submission.root / submission.model, _companions(submission))


def produced(executed: StageResult[Execution]) -> tuple[Blob, ...]:
    """The model files and companions that a run wrote, even if it stopped half-way."""
    if isinstance(executed, Done):
        return executed.value.produced
    if isinstance(executed, FailedExecution) and executed.execution is not None:
        return executed.execution.produced
    return ()


def _written(executed: StageResult[Execution], store: Store, beside: dict[str, Path]) -> HandedModel | None:
    found = produced(executed)
    order = (*MODEL_SUFFIXES, ".zip")  # .zip: a SavedModel's folder, packed by `harness/agent/notebook`
    candidates = [blob for blob in found if Path(blob.name).suffix.lower() in order]
    if not candidates:
        return None
    best = min(candidates, key=lambda blob: order.index(Path(blob.name).suffix.lower()))
    companions = {blob.name: store.path(blob) for blob in found if blob.name in COMPANIONS}
    return HandedModel(store.path(best), beside | companions)


def _companions(submission: Submission) -> dict[str, Path]:
    return {companion.role: submission.root / companion.path for companion in submission.companions}
