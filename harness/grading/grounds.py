"""On what a submission is graded: the course's held-out set, or images withheld of the student's own data set."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from harness.errors import EngineFailed, MachineError
from harness.grading import withheld_split as own
from harness.grading.context import RunContext, TrainingImages
from harness.inputs.submission import Submission
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.stage_result import Done, StageResult


@contextlib.contextmanager
def grounds(
    submission: Submission, audited: StageResult[DatasetAudit], run_context: RunContext
) -> Iterator[tuple[RunContext, own.Ground | None]]:
    """The course as this submission is graded in it, and what is withheld of its own data set, if anything is."""
    value = audited.value if isinstance(audited, Done) else None
    if not run_context.assignment.withholds or value is None or not own.can_be_graded(value):
        yield run_context, None
        return
    with own.laid_out(submission, value, run_context.assignment, run_context.stage_context) as ground:
        if run_context.assignment.has_shared_set:
            yield run_context, ground
            return
        trained = own_reference(value, ground, run_context)
        training = TrainingImages(ground.training_sha256, ground.check_images)
        yield (
            replace(run_context, held_out=ground.held_out, staged=ground.staged, training=training, reference=trained),
            ground,
        )


def own_reference(audited: DatasetAudit, ground: own.Ground, run_context: RunContext) -> Reference | None:
    """The reference for this data set; None when it cannot be trained on it, which is said in the log."""
    weights = run_context.weights.files[run_context.assignment.reference.weights_name]
    try:
        return own.train_reference(
            ground,
            audited,
            run_context.assignment,
            weights,
            run_context.stage_context,
            run_context.cache,
            run_context.progress,
            run_context.unseen,
        )
    except (MachineError, EngineFailed) as error:
        run_context.progress.say(f"No reference for one data set: {error.message.splitlines()[0]}")
        return None
