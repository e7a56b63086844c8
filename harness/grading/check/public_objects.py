"""The images with boxes that are here, in place of the held-out set, where the task is detection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.errors import AssignmentError
from harness.grading.context import GradedOn, KnownObjects
from harness.grading.detection.context import ObjectImages, object_images
from harness.inputs import images
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.sections import Dataset
from harness.inputs.images import HeldOutSet, StagedImages
from harness.inputs.student_package import StudentPackage
from harness.stages.runner import StageRunner


def public_objects(
    assignment: Assignment,
    package: StudentPackage | None,
    runner: StageRunner,
    scratch: Path,
    say: Callable[[str], None],
) -> GradedOn | None:
    """The package's images with their boxes; without a package some of the training images; None where there are none.

    Raises `AssignmentError` for images that are not those that the reference was scored on, and as `object_images`
    does.
    """
    public = package.images if package is not None and assignment.has_shared_set else None
    found = object_images(_on(assignment, public), runner, say)
    held_out, known = found.held_out, found.known
    if public is not None:
        scores = package.detector if package is not None else None
        if scores is not None and scores.images_sha256 != held_out.sha256:
            raise AssignmentError(
                f"{public}: the images or their boxes are not those that the reference was scored on",
                "unpack the package that your course gives out once more",
            )
        if not known.files:  # grading measures labels on the course's training images, and these are public, too
            known = _taught_by(assignment, public, runner, say).known
    elif known.files:
        held_out = known
    else:
        return None
    staged = images.stage(held_out, scratch / "public")
    return GradedOn(held_out, staged, found.training, known=KnownObjects(known, _staged(known, scratch / "known")))


def _on(assignment: Assignment, public: Path | None) -> Assignment:
    """The assignment with these images for the held-out ones."""
    return assignment.model_copy(update={"held_out": assignment.held_out.model_copy(update={"path": public})})


def _taught_by(assignment: Assignment, public: Path, runner: StageRunner, say: Callable[[str], None]) -> ObjectImages:
    dataset = (assignment.dataset or Dataset()).model_copy(update={"path": public})
    return object_images(_on(assignment.model_copy(update={"dataset": dataset}), None), runner, say)


def _staged(known: HeldOutSet, folder: Path) -> StagedImages:
    return images.stage(known, folder) if known.files else images.NO_STAGED
