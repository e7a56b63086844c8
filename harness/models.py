"""Which model a hand-in has: the one that its notebook made when it was run, and the one that was handed in."""

from __future__ import annotations

from pathlib import Path

from harness.assignment import HandIn
from harness.evidence import Blob, Done, Execution, FailedExecution, StageResult
from harness.intake.parts import COMPANIONS, MODEL_SUFFIXES
from harness.stages.convert import HandedModel
from harness.store import Store
from harness.submission import Submission


def made(submission: Submission, executed: StageResult[Execution], store: Store) -> HandedModel | None:
    """The best model that the run wrote, with what was handed in beside it where the run wrote none of that."""
    found = produced(executed)
    candidates = [blob for blob in found if Path(blob.name).suffix.lower() in MODEL_SUFFIXES]
    if not candidates:
        return None
    best = min(candidates, key=lambda blob: MODEL_SUFFIXES.index(Path(blob.name).suffix.lower()))
    companions = {blob.name: store.path(blob) for blob in found if blob.name in COMPANIONS}
    return HandedModel(store.path(best), _companions(submission) | companions)


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


def _companions(submission: Submission) -> dict[str, Path]:
    return {path.name: submission.root / path for path in submission.companions}
