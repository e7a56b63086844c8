"""Selects the models that may be graded, the best first: those that the notebook's run made, or those handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.inputs.assignment import Assignment
from harness.inputs.assignment.sections import HandIn
from harness.inputs.submission import ModelFile, Submission, SubmittedFile
from harness.inputs.submissions.candidates import Aged, models
from harness.inputs.submissions.own_code import own_code
from harness.stages.convert import HandedModel
from harness.stages.evidence.execution import Execution, FailedExecution, Produced
from harness.stages.evidence.stage_result import Done, StageResult
from harness.stages.store import Store


def to_grade(
    submission: Submission, executed: StageResult[Execution], assignment: Assignment, store: Store
) -> tuple[HandedModel, ...]:
    """The models that the notebook made, then those handed in; the reverse where both are compared.

    What cannot be graded for its kind comes last, whoever made it. For detection a predict.py comes before that, and
    after all files that are asked without code, since these can be timed. Where images are withheld, only the rerun's
    models count, because handed-in models have seen them.
    """
    if assignment.withholds:
        return _written(executed, store, {})
    ours, theirs = made(submission, executed, store), handed_in(submission, assignment.handin)
    own = answering(submission, assignment)
    in_turn = (*theirs, *ours) if assignment.execution.mode == "both" else (*ours, *theirs)
    return tuple(sorted((*in_turn, *own), key=lambda model: model.is_refused))


def made(submission: Submission, executed: StageResult[Execution], store: Store) -> tuple[HandedModel, ...]:
    """The models that the run wrote, with handed-in companions where the run wrote none."""
    beside = submission.models[0].companions if submission.models else ()
    return _written(executed, store, {one.role: submission.root / one.path for one in beside})


def handed_in(submission: Submission, wanted: HandIn) -> tuple[HandedModel, ...]:
    """The handed-in models; none if the assignment ignores them."""
    return () if wanted.model == "ignored" else _of(submission, submission.models)


def answering(submission: Submission, assignment: Assignment) -> tuple[HandedModel, ...]:
    """The submission's predict.py, as a detector; none without one, for another task, or if models are ignored."""
    if assignment.task != "detection" or assignment.handin.model == "ignored":
        return ()
    return _of(submission, own_code(submission.files))


def _of(submission: Submission, files: Sequence[ModelFile]) -> tuple[HandedModel, ...]:
    root = submission.root
    return tuple(
        HandedModel(
            root / model.path,
            {companion.role: root / companion.path for companion in model.companions},
            str(model.path),
            model.kind,
            model.findings,
        )
        for model in files
    )


def produced(executed: StageResult[Execution]) -> tuple[Produced, ...]:
    """The models, and what may belong to them, that a run wrote, even if it stopped half-way."""
    if isinstance(executed, Done):
        return executed.value.produced
    if isinstance(executed, FailedExecution) and executed.execution is not None:
        return executed.execution.produced
    return ()


def _written(executed: StageResult[Execution], store: Store, beside: Mapping[str, Path]) -> tuple[HandedModel, ...]:
    files = {Path(one.path): one for one in produced(executed)}
    found = models([Aged(SubmittedFile(path, one.kind), one.changed) for path, one in files.items()])
    return tuple(
        HandedModel(
            store.path(files[model.path]),
            {**beside, **{one.role: store.path(files[one.path]) for one in model.companions}},
            str(model.path),
            model.kind,
            model.findings,
            by_the_run=True,
        )
        for model in found
    )
