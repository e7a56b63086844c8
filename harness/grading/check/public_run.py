"""The run context of `harness check`: public images in place of the held-out set, and no reference.

Which images there are decides what a figure on them means, so it is kept beside the context.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from harness.bench import boards
from harness.errors import AssignmentError
from harness.files.temporary_folders import own_folder
from harness.files.user_folders import default_folder
from harness.grading.check.public_objects import public_objects
from harness.grading.context import GradedOn, RunContext
from harness.grading.materials import known_backbones, training_images, weights_here, with_readable_images
from harness.grading.withheld_split import staged_in_store, withheld_set
from harness.inputs import images
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.sections import Dataset, HandIn, OwnDataset
from harness.inputs.images import NO_TRAINING_IMAGES, HeldOutSet, StagedImages
from harness.inputs.images.folders import class_folders
from harness.inputs.student_package import ReferenceScores, StudentPackage
from harness.inputs.submission import Submission
from harness.sandbox import Sandbox, open_to_all
from harness.stages.audit.findings import can_be_graded
from harness.stages.audit.request import AUDIT, AuditRequest
from harness.stages.audit.stage import AuditRules
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.evidence.stage_result import Done
from harness.stages.progress import Progress
from harness.stages.store import Store

# Where the images come from that the model is asked about: the course's public ones; those that grading withholds from
# the student's own; a part of the student's own, which the model may have seen; one of the training images, likewise;
# or noise, on which only can be seen whether the model answers.
ImagesFrom = Literal["public", "withheld", "own", "training", "none"]
_SEED = 1  # of the split of a student's own images
_NOISE_IMAGES, _NOISE_SIDE = 8, 96


@dataclass(frozen=True, slots=True)
class PublicRun:
    """A run context, the images that stand for the held-out set, and what is not on this machine."""

    context: RunContext
    images_from: ImagesFrom
    may_be_seen: bool  # whether the model may have been trained on these images
    scores: ReferenceScores | None
    missing_weights: tuple[str, ...]
    training_here: bool  # False where the assignment gives training images, and they are not here


@contextlib.contextmanager
def public_run(
    assignment: Assignment,
    package: StudentPackage | None,
    submission: Submission,
    working_folder: Path,
    sandbox: Sandbox,
    progress: Progress,
    *,
    force: bool = False,
) -> Iterator[PublicRun]:
    """Yield the run for one submission; temporary files are removed afterwards.

    `working_folder`: where the student works, with the course's training images perhaps in it. Raises `UsageError` for
    a board that is not known, `AssignmentError` for a package whose images were changed.
    """
    for board in assignment.boards:
        boards.load(board)
    store = Store(default_folder())
    with own_folder("harness-check-", store.folder) as scratch:
        wants_images = assignment.dataset is not None
        assignment = _with_training_images(assignment, working_folder, scratch, progress)
        weights, missing = weights_here(assignment, scratch)
        detects = assignment.task == "detection"
        context = RunContext(
            assignment,
            GradedOn(*_noise(scratch / "noise"), NO_TRAINING_IMAGES if detects else training_images(assignment)),
            None,
            weights,
            known_backbones(scratch),
            StageContext(sandbox, store, assignment.limits),
            StageCache(store, sandbox.environment_id, force=force),
            progress,
            trains_reference=False,
        )
        scores = None
        if detects:
            images_from, context = _with_objects(context, package, scratch)
        else:
            images_from, found, scores = _images(context, package, submission, scratch)
            if found is not None:
                held_out, staged = found
                context = replace(context, shared=replace(context.shared, held_out=held_out, staged=staged))
        path = assignment.dataset.path if assignment.dataset else None
        in_package = images_from == "public" and package is not None and path == package.images
        yield PublicRun(
            context,
            images_from,
            images_from in ("own", "training") or in_package,
            scores,
            missing,
            training_here=path is not None or not wants_images or assignment.withholds,
        )


def _with_training_images(assignment: Assignment, folder: Path, scratch: Path, progress: Progress) -> Assignment:
    """The assignment with its training images: where it says, else where the student has them; without, if nowhere.

    A student's copy is not opened here: it goes into the sandbox as it is.
    """
    dataset = assignment.dataset
    if dataset is None:
        return assignment
    if dataset.path is not None:
        return with_readable_images(assignment, scratch, progress.say)
    if assignment.task == "detection":  # a data set with boxes is mounted as it lies, which a student's copy is not
        return assignment if assignment.withholds else assignment.model_copy(update={"dataset": None})
    theirs, copy = folder / dataset.mounted_as, scratch / "students-training-images"
    if theirs.is_dir() and theirs.resolve().is_relative_to(folder.resolve()) and _copied(theirs, copy):
        return assignment.model_copy(update={"dataset": dataset.model_copy(update={"path": copy})})
    return assignment if assignment.withholds else assignment.model_copy(update={"dataset": None})


def _copied(folder: Path, target: Path) -> bool:
    """Copy the images in class folders, links left out; return whether there are any."""
    for name, files in class_folders(folder).items():
        for file in files:
            if file.is_file() and not file.is_symlink() and not file.parent.is_symlink():
                (target / name).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target / name / file.name)
    if target.is_dir():
        open_to_all(target)
    return target.is_dir()


def _with_objects(context: RunContext, package: StudentPackage | None, scratch: Path) -> tuple[ImagesFrom, RunContext]:
    """The context with the images with boxes that are here."""
    assignment = context.assignment
    if not assignment.has_shared_set:
        return "withheld", context
    shared = public_objects(assignment, package, context.runner(None), scratch, context.progress.say)
    if shared is None:
        return "none", context
    is_public = package is not None and package.images is not None
    return "public" if is_public else "training", replace(context, shared=shared)


_Found = tuple[HeldOutSet, StagedImages]


def _images(
    context: RunContext, package: StudentPackage | None, submission: Submission, scratch: Path
) -> tuple[ImagesFrom, _Found | None, ReferenceScores | None]:
    """The images that the model is asked about, and the reference's scores on them."""
    assignment = context.assignment
    if not assignment.has_shared_set:
        return "withheld", None, None
    if package is not None and package.images is not None:
        public = images.load(package.images)
        scores = package.scores
        if scores is not None and scores.images_sha256 != public.sha256:
            raise AssignmentError(
                f"{package.images}: the images are not those that the reference was scored on",
                "unpack the package that your course gives out once more",
            )
        return "public", (public, images.stage(public, scratch / "public")), scores
    if submission.dataset is not None and (own := _part_of(submission, context)):
        return "own", own, None
    dataset: Dataset | None = assignment.dataset
    if dataset is not None and dataset.path is not None:
        course = replace(submission, root=dataset.path.parent, dataset=Path(dataset.path.name))
        if training := _part_of(course, context):
            return "training", training, None
    return "none", None, None


def _part_of(submission: Submission, context: RunContext) -> _Found | None:
    """A seeded part of each class of the submission's data set, with images of one scene on one side.

    The sandbox decodes the images, as when a part is withheld for grading. None where there is too little.
    """
    rules = AuditRules(OwnDataset(seed=_SEED), True, context.embedder)
    audited = context.runner(None).run(AUDIT, AuditRequest(submission, HandIn(), rules))
    if not isinstance(audited, Done) or not can_be_graded(audited.value, rules.detection):
        return None
    held_out = withheld_set(audited.value, context.stage_context)
    return held_out, staged_in_store(held_out, context.stage_context)


def _noise(folder: Path) -> _Found:
    """Images of noise, without labels: a model can be asked about them, and nothing be scored."""
    folder.mkdir(mode=0o700)
    random = np.random.default_rng(_SEED)
    names = tuple(f"{number}.png" for number in range(_NOISE_IMAGES))
    for name in names:
        pixels = random.integers(0, 256, (_NOISE_SIDE, _NOISE_SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    digest = f"{_SEED:064x}"
    return HeldOutSet((), (), (), digest), StagedImages(folder, names, digest)
