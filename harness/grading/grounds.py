"""On what a hand-in is graded: the course's held-out set, or pictures withheld of the student's own data set."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from harness.errors import EngineFailed, MachineError
from harness.grading import withheld_split as own
from harness.grading.context import Course, TrainingPictures
from harness.inputs.submission import Submission
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.stage_result import Done, StageResult


@contextlib.contextmanager
def grounds(
    submission: Submission, audited: StageResult[DatasetAudit], course: Course
) -> Iterator[tuple[Course, own.Ground | None]]:
    """The course as this hand-in is graded in it, and what is withheld of its own data set, if anything is."""
    value = audited.value if isinstance(audited, Done) else None
    if not course.assignment.withholds or value is None or not own.can_be_graded(value):
        yield course, None
        return
    with own.laid_out(submission, value, course.assignment, course.workplace) as ground:
        if course.assignment.has_shared_set:
            yield course, ground
            return
        trained = own_reference(value, ground, course)
        training = TrainingPictures(ground.training_sha256, ground.check_images)
        yield (
            replace(course, held_out=ground.held_out, staged=ground.staged, training=training, reference=trained),
            ground,
        )


def own_reference(audited: DatasetAudit, ground: own.Ground, course: Course) -> Reference | None:
    """The reference for this data set; None when it cannot be trained on it, which is said in the log."""
    weights = course.weights.files[course.assignment.reference.weights_name]
    try:
        return own.train_reference(
            ground, audited, course.assignment, weights, course.workplace, course.cache, course.progress, course.unseen
        )
    except (MachineError, EngineFailed) as error:
        course.progress.say(f"No reference for one data set: {error.message.splitlines()[0]}")
        return None
