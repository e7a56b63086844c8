"""Prepares what all submissions of a run share: images, weights, engine, reference."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from harness.bench import boards
from harness.files.temporary_folders import own_folder
from harness.files.user_folders import default_folder
from harness.grading.detection.context import object_images
from harness.grading.materials import given_weights, known_backbones, readable, training_images
from harness.inputs import images
from harness.inputs.assignment import Assignment
from harness.inputs.given_weights import GivenWeights, KnownBackbones
from harness.inputs.images import HeldOutSet, StagedImages, TrainingImages
from harness.sandbox import Sandbox
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.evidence.detector_reference import DetectorReference
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.stage_result import Done
from harness.stages.held_out_scenes import SCENES, ScenesRequest
from harness.stages.progress import Progress
from harness.stages.runner import StageRunner
from harness.stages.store import Store


@dataclass(frozen=True, slots=True)
class KnownObjects:
    """Some training images with their boxes, by which is measured what a detector's labels mean; they are no secret."""

    labelled: HeldOutSet
    staged: StagedImages


@dataclass(frozen=True, slots=True)
class GradedOn:
    """What a model is graded on and compared with: the course's held-out set, or a student's withheld images."""

    held_out: HeldOutSet  # empty, like `staged`, where there is none
    staged: StagedImages
    training: TrainingImages
    reference: Reference | None = None  # None while the reference itself is graded, and where there is none
    known: KnownObjects | None = None  # for detection; None where there are no training images
    detector: DetectorReference | None = None  # for detection, in place of `reference`


@dataclass(frozen=True, slots=True)
class RunContext:
    """What all submissions of a run share."""

    assignment: Assignment
    shared: GradedOn  # the course's own images
    unseen: StagedImages | None  # images that show none of the classes
    weights: GivenWeights
    backbones: KnownBackbones
    stage_context: StageContext
    cache: StageCache
    progress: Progress
    trains_reference: bool = True  # False where the reference's code is not on this machine

    @property
    def embedder(self) -> Path | None:
        """MobileNetV2's weights for comparing students' images; None where this machine does not have them."""
        return self.backbones.files.get("mobilenet_v2")

    def runner(self, submission: str | None) -> StageRunner:
        """The runner for the stages of the submission with this id, or of the reference for None."""
        return StageRunner(submission, self.stage_context, self.cache, self.progress)


@contextlib.contextmanager
def without_reference(
    assignment: Assignment,
    sandbox: Sandbox,
    progress: Progress,
    *,
    force: bool = False,
    cache: StageCache | None = None,
) -> Iterator[RunContext]:
    """Yield the run context before its reference is trained; temporary images and weights are removed afterwards.

    Raises `UsageError` for a board that is not known, `AssignmentError` for images that do not decode,
    `MachineError` for weights that are not here.
    """
    for board in assignment.boards:
        boards.load(board)
    store = Store(default_folder())
    cache = cache or StageCache(store, sandbox.environment_id, force=force)
    with own_folder("harness-course-", store.folder) as scratch:  # weights are hard-linked into it
        assignment = readable(assignment, scratch, progress.say)
        stage_context = StageContext(sandbox, store, assignment.limits)
        if assignment.task == "detection":
            shared = _with_objects(assignment, scratch, StageRunner(None, stage_context, cache, progress), progress)
        else:
            held_out = images.load(assignment.held_out.path) if assignment.held_out.path else images.NO_SET
            staged = images.stage(held_out, scratch / "images")
            shared = GradedOn(held_out, staged, training_images(assignment))
        unseen = None
        if assignment.unseen is not None:
            unseen = images.stage(images.load_unseen(assignment.unseen.path), scratch / "unseen")
        yield RunContext(
            assignment,
            shared,
            unseen,
            given_weights(assignment, scratch),
            known_backbones(scratch),
            stage_context,
            cache,
            progress,
        )


def _with_objects(assignment: Assignment, scratch: Path, runner: StageRunner, progress: Progress) -> GradedOn:
    """What detectors are graded on, and some training images with their boxes."""
    found = object_images(assignment, runner, progress.say)
    staged = images.stage(found.held_out, scratch / "images")
    known = KnownObjects(found.known, images.stage(found.known, scratch / "known")) if found.known.files else None
    return GradedOn(found.held_out, staged, found.training, known=known)


def with_scenes(run_context: RunContext) -> RunContext:
    """The same context with the scenes of the course's held-out images, which are searched once."""
    shared = run_context.shared

    def starting() -> None:
        run_context.progress.say("Comparing the held-out images with each other; this is done once ...")

    # Images with objects have no class of their own, so all are compared with each other.
    request = ScenesRequest(shared.staged, shared.held_out.truth or (0,) * len(shared.held_out.files))
    found = run_context.runner(None).run(SCENES, request, starting=starting)
    if not isinstance(found, Done):  # our defect: intervals are then those of independent images
        if found.reason:  # `harness why` only looks
            run_context.progress.say(f"Scenes of the held-out images were not found: {found.reason}")
        return run_context
    return replace(run_context, shared=replace(shared, held_out=replace(shared.held_out, scenes=found.value.scenes)))


def with_reference(run_context: RunContext, reference: Reference) -> RunContext:
    """The same context with the reference that submissions are compared with."""
    return replace(run_context, shared=replace(run_context.shared, reference=reference))


def with_detector(run_context: RunContext, detector: DetectorReference) -> RunContext:
    """The same context with the reference detector that submissions are compared with."""
    return replace(run_context, shared=replace(run_context.shared, detector=detector))
