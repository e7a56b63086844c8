"""Writes a student's package, whole or not at all; refuses to write one that gives something away."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.errors import AssignmentError, MachineError, UsageError
from harness.files.user_folders import default_folder
from harness.grading.detection.context import read_folder
from harness.grading.reference import prepared
from harness.grading.release.annotated_images import write_annotated
from harness.grading.release.images import write_images
from harness.grading.release.leaks import leaks
from harness.grading.release.public_assignment import REQUIREMENTS, public_toml
from harness.grading.release.scores import detector_scores, reference_scores
from harness.grading.release.starting_notebook import starting_notebook
from harness.grading.release.words import github_workflow, gitlab_job, readme
from harness.grading.rubric.rubric import check as check_rubric
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.sections import HeldOut
from harness.inputs.detector_scores import DetectorScores
from harness.inputs.student_package import ASSIGNMENT, IMAGES, SCORES, ReferenceScores
from harness.sandbox import Sandbox, open_to_all
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.progress import Progress
from harness.stages.runner import StageRunner
from harness.stages.store import Store

NOTEBOOK = "start.ipynb"
_MOST_NAMED = 10
_Scores = ReferenceScores | DetectorScores


@dataclass(frozen=True, slots=True)
class Released:
    """A package that was written."""

    folder: Path
    files: tuple[str, ...]  # paths below the folder
    images: int
    reference_accuracy: float | None  # on the public images
    reference_ap50: float | None = None  # likewise, for detection


def release(assignment: Assignment, out: Path, sandbox: Sandbox, progress: Progress) -> Released:
    """Write the package to the folder `out`, which must be new or empty.

    Trains the reference if that was not done. Raises `UsageError` for a folder that holds something, `AssignmentError`
    for a package that would give something away, and as `prepared` does.
    """
    check_rubric(assignment)
    if assignment.withholds and assignment.own_dataset.can_be_guessed:
        raise AssignmentError(
            f"own_dataset.seed is {assignment.own_dataset.seed}, so students can find out which images are withheld",
            "give it a number of four digits or more, and tell nobody",
        )
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out}: holds something already", "name a new folder: what is left in it would be given away")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".release-") as temporary:
            made = Path(temporary) / "package"
            made.mkdir()
            released = _write(assignment, made, sandbox, progress)
            _refuse_leaks(made, assignment)
            open_to_all(made)  # it is for students: whoever copies it to a share gives it on as it is
            if out.is_dir():
                out.rmdir()
            made.rename(out)
    except OSError as error:
        raise MachineError(f"{out}: cannot be written: {error.strerror}", "make room, or take another --out") from error
    files = tuple(sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()))
    images, scores = released
    accuracy = scores.accuracy if isinstance(scores, ReferenceScores) else None
    return Released(out, files, images, accuracy, scores.ap50 if isinstance(scores, DetectorScores) else None)


def _refuse_leaks(folder: Path, assignment: Assignment) -> None:
    """Raises `AssignmentError` where the files in the folder give something away."""
    if found := leaks(folder, assignment):
        more = [f"... and {len(found) - _MOST_NAMED} more"] if len(found) > _MOST_NAMED else []
        raise AssignmentError(
            "\n".join(["the package would give away what students must not have:", *found[:_MOST_NAMED], *more]),
            "take these out of the public images or the starting notebook; nothing was written",
        )


def _write(assignment: Assignment, folder: Path, sandbox: Sandbox, progress: Progress) -> tuple[int, _Scores | None]:
    """All files; returns how many images there are, and the reference's scores on them."""
    own = assignment.dataset.path if assignment.dataset else None
    public = assignment.public.path or own
    trains_on_images = public is not None and public == own
    images, scores = 0, None
    detects = assignment.task == "detection"
    if public is not None:
        progress.say(f"Writing the images of {public} anew ...")
        target = folder / IMAGES
        images = (
            _write_objects(public, target, assignment, sandbox, progress) if detects else write_images(public, target)
        )
        _refuse_leaks(folder, assignment)  # before the reference is trained, which takes minutes
        if assignment.has_shared_set:
            scores = _scores(assignment, folder / IMAGES, sandbox, progress)
    texts = {
        "README.md": readme(assignment, images, scores, trains_on_images),
        ASSIGNMENT: public_toml(assignment, trains_on_images),
        NOTEBOOK: starting_notebook(assignment, trains_on_images),
        ".github/workflows/check.yml": github_workflow(assignment),
        ".gitlab-ci.yml": gitlab_job(assignment),
    }
    if scores is not None:
        texts[SCORES] = scores.model_dump_json(indent=1) + "\n"
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    if assignment.execution.requirements is not None:
        shutil.copyfile(assignment.execution.requirements, folder / REQUIREMENTS)
    return images, scores


def _write_objects(public: Path, target: Path, assignment: Assignment, sandbox: Sandbox, progress: Progress) -> int:
    """Write the images with boxes, which are read in the sandbox."""
    store = Store(default_folder())
    cache = StageCache(store, sandbox.environment_id)
    runner = StageRunner(None, StageContext(sandbox, store, assignment.limits), cache, progress)
    return write_annotated(read_folder(public, runner, progress.say), target)


def _scores(assignment: Assignment, images: Path, sandbox: Sandbox, progress: Progress) -> _Scores:
    """The reference on the package's images, which stand in for the held-out set: that one is not even opened."""
    on_public = assignment.model_copy(
        update={
            "held_out": HeldOut(mode="shared", path=images),
            "robustness": assignment.robustness.model_copy(update={"enabled": False}),
            "unseen": None,
        }
    )
    with prepared(on_public, sandbox, progress) as ready:
        return detector_scores(ready) if assignment.task == "detection" else reference_scores(ready)
