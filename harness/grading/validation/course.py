"""Everything that `harness validate` looks at, and what `harness grade` looks at first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import AssignmentError, MachineError, NoSandbox, Problem
from harness.files.user_folders import default_folder
from harness.grading import sample_size
from harness.grading.detection.context import read_folder
from harness.grading.detection.object_sets import ObjectFolder
from harness.grading.similarity.course_images import compared
from harness.grading.validation import contents
from harness.grading.validation.file import of_file
from harness.grading.validation.folders import ImageFolder, image_folder, of_folders
from harness.grading.validation.leaks import leaks_of
from harness.grading.validation.machine import missing_weights, of_environments, of_weights
from harness.grading.validation.objects import of_objects
from harness.grading.validation.verdicts import Validation, Verdict, doubt, error
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.problems import place
from harness.sandbox import Sandbox
from harness.stages.audit.reply import MOST_IMAGES
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.evidence.stage_result import Done
from harness.stages.progress import Progress
from harness.stages.runner import StageRunner
from harness.stages.store import Store

_LIKELY_ACCURACY = 0.9  # of a reference that is not trained yet


def validate(file: Path, sandbox: Sandbox | NoSandbox, progress: Progress) -> Validation:
    """Every verdict on the assignment in `file`. Without an engine, images are not compared, which is a doubt."""
    assignment, found = of_file(file)
    if assignment is not None:
        engine = None if isinstance(sandbox, NoSandbox) else sandbox
        why_none = sandbox.message if isinstance(sandbox, NoSandbox) else ""
        text = assignment.file.read_text(encoding="utf-8")
        found += of_weights(assignment, text)
        found += of_environments(assignment, text, engine, why_none)
        found += of_images(assignment, engine, progress).verdicts
    return Validation(assignment=str(file.resolve()), verdicts=tuple(found))


@dataclass(frozen=True, slots=True)
class Checked:
    """What a grade must say of the assignment: doubts, and how many held-out images are known to repeat others."""

    doubts: tuple[str, ...] = ()
    accepted_repeats: int = 0


NOTHING_FOUND = Checked()


@dataclass(frozen=True, slots=True)
class OfImages:
    """The verdicts on the image sets, and how many held-out images repeat others and are accepted."""

    verdicts: list[Verdict]
    accepted_repeats: int


def checked_first(assignment: Assignment, sandbox: Sandbox, progress: Progress) -> Checked:
    """The doubts about the images of a course that is about to be graded; each is said once.

    Raises `AssignmentError` for what would be graded wrongly, `MachineError` for weights that are not here.
    """
    if missing := missing_weights(assignment):
        names = ", ".join(map(repr, missing))
        which = "are not on this machine"
        raise MachineError(f"the pre-trained weights {names} {which}", f"harness weights fetch {' '.join(missing)}")
    seen = of_images(assignment, sandbox, progress, expects_accuracy=False)
    found = Validation(assignment=str(assignment.file), verdicts=tuple(seen.verdicts))
    if errors := found.of("error"):
        do = "; ".join(dict.fromkeys(one.do for one in errors))
        raise AssignmentError([Problem(one.place, one.what) for one in errors], f"{do}. harness validate says all")
    doubts = tuple(f"{one.place}: {one.what}" + f" ({one.do})" * bool(one.do) for one in found.of("doubt"))
    for line in doubts:
        progress.say(line)
    return Checked(doubts, seen.accepted_repeats)


def of_images(
    assignment: Assignment, sandbox: Sandbox | None, progress: Progress, *, expects_accuracy: bool = True
) -> OfImages:
    """The verdicts on the assignment's image sets; the comparison is kept by the images' contents.

    `expects_accuracy`: whether to say if the held-out images are few for the anchors. `harness grade` says it itself,
    when the reference's accuracy is known.
    """
    text, base = assignment.file.read_text(encoding="utf-8"), assignment.file.parent
    sets = _sets(assignment, text)
    found = of_folders(sets, base)
    if assignment.task == "detection" and sandbox is not None:
        found += _of_boxes(assignment, sets, sandbox, progress)
    those = contents.listed(sets)
    held_out, accept = sets.get("held_out"), assignment.held_out.accept_repeated
    accepted_repeats = len(accept)  # as far as is known without a comparison
    places = {key: one.place for key, one in sets.items()}
    if len(those) > MOST_IMAGES:
        found.append(doubt("images", f"only the first {MOST_IMAGES} of {len(those)} images were compared"))
        those = those[:MOST_IMAGES]
    if those and sandbox is not None:
        result = compared(those, sandbox, progress)
        if isinstance(result, Done):
            leaks = None if held_out is None else leaks_of(result.value, those, held_out.folder, accept)
            found += contents.of_contents(result.value, those, places, base, leaks)
            accepted_repeats = len(leaks.accepted_copies) if leaks is not None else 0
        else:
            found.append(
                doubt("images", f"they were not compared: {result.whole_reason}", "run the same command again")
            )
    if expects_accuracy and held_out is not None and assignment.task == "classification":
        found += _few_for_the_anchors(assignment, held_out)
    return OfImages(found, accepted_repeats)


def _sets(assignment: Assignment, text: str) -> dict[str, ImageFolder]:
    dataset, unseen = assignment.dataset, assignment.unseen
    folders = {
        "held_out": assignment.held_out.path,
        "dataset": None if dataset is None else dataset.path,
        "unseen": None if unseen is None else unseen.path,
    }
    return {
        key: image_folder(
            key, place(assignment.file, text, (key, "path")), folder, boxes=assignment.task == "detection"
        )
        for key, folder in folders.items()
        if folder is not None
    }


def _of_boxes(
    assignment: Assignment, sets: Mapping[str, ImageFolder], sandbox: Sandbox, progress: Progress
) -> list[Verdict]:
    """The verdicts on boxes; what is read is kept for the grading."""
    store = Store(default_folder())
    runner = StageRunner(
        None, StageContext(sandbox, store, assignment.limits), StageCache(store, sandbox.environment_id), progress
    )
    found, read = list[Verdict](), dict[str, ObjectFolder]()
    for key in ("held_out", "dataset"):
        if key in sets:
            try:
                read[key] = read_folder(sets[key].folder, runner, progress.say)
            except AssignmentError as unreadable:
                found.append(error(sets[key].place, unreadable.message, unreadable.do))
            except MachineError as broken:
                found.append(doubt(sets[key].place, broken.message, broken.do))
    return found + of_objects(read, {key: one.place for key, one in sets.items()})


def _few_for_the_anchors(assignment: Assignment, held_out: ImageFolder) -> list[Verdict]:
    """Which criteria the held-out set is too small for, if the reference is right on nine images of ten."""
    count = len(held_out.files)
    said = sample_size.warnings(assignment, _LIKELY_ACCURACY, count, count)
    assumed = f"(if the reference is right on {_LIKELY_ACCURACY:.0%} of them)"
    return [
        doubt(held_out.place, f"{line.removesuffix(' See docs/criteria.md.')} {assumed}", "see docs/criteria.md")
        for line in said
    ]
