"""Everything that is the same for every submission of a run, made ready: images, weights, engine, reference."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from harness.bench import boards
from harness.errors import MachineError
from harness.files.hashing import file_sha256, tree_sha256
from harness.files.temporary_folders import own_folder
from harness.files.user_folders import default_folder
from harness.grading import reference
from harness.inputs import images, weights
from harness.inputs.assignment import Assignment
from harness.inputs.images import HeldOutSet, StagedImages
from harness.inputs.images.folders import class_folders
from harness.inputs.weights import WeightsEntry
from harness.sandbox import Sandbox, open_to_all, readable_by_all
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.evidence.reference import Reference
from harness.stages.progress import Progress
from harness.stages.store import Store

_CHECK_IMAGES = 12  # at least 8 are compared


@dataclass(frozen=True, slots=True)
class TrainingImages:
    """The images that notebooks get, and a few of them for checking conversions."""

    sha256: str
    check_images: Callable[[], Sequence[Path]]  # made ready when they are first needed


@dataclass(frozen=True, slots=True)
class Weights:
    """Pre-trained weights: those that notebooks may load, and the reference's."""

    hub: Path | None  # a folder to be mounted, as `harness/agent/notebook/pretrained.py` has it; None for none
    files: dict[str, Path]  # name -> file, of the reference's and of those that the assignment names
    sha256: dict[str, str]  # name -> hash of the file


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Every pre-trained backbone that is on this machine: students may have started from any."""

    files: dict[str, Path]  # name -> file
    entries: dict[str, WeightsEntry]

    def key(self) -> dict[str, str]:
        return {name: entry.digest for name, entry in self.entries.items()}


@dataclass(frozen=True, slots=True)
class RunContext:
    """All that is the same for every submission of a run."""

    assignment: Assignment
    held_out: HeldOutSet  # empty, as is `staged`, when each is graded on withheld images of its own
    staged: StagedImages
    unseen: StagedImages | None  # images of none of the classes
    training: TrainingImages
    weights: Weights
    pretrained: Pretrained
    reference: Reference | None  # None when each submission has one of its own
    stage_context: StageContext
    cache: StageCache
    progress: Progress

    @property
    def embedder(self) -> Path | None:
        """MobileNetV2's weights for comparing students' images, where they are on this machine."""
        return self.pretrained.files.get("mobilenet_v2")


@contextlib.contextmanager
def prepared(
    assignment: Assignment, sandbox: Sandbox, progress: Progress, *, force: bool = False
) -> Iterator[RunContext]:
    """The course of a run; its temporary images and weights are gone afterwards.

    Raises `UsageError` for a board that is not known, `AssignmentError` for images that do not decode,
    `MachineError` for weights that are not here and for a reference that does not train.
    """
    for board in assignment.boards:
        boards.load(board)
    store = Store(default_folder())
    cache = StageCache(store, sandbox.environment_id, force=force)
    with own_folder("harness-course-", store.folder) as scratch:  # weights are linked to there
        assignment = _readable(assignment, scratch)
        held_out = images.load(assignment.held_out.path) if assignment.held_out else images.NO_SET
        staged = images.stage(held_out, scratch / "images")
        training = _training_images(assignment)
        ready = given_weights(assignment, scratch)
        unseen = None
        if assignment.unseen is not None:
            unseen = images.stage(images.load_unseen(assignment.unseen.path), scratch / "unseen")
        context = StageContext(sandbox, store, assignment.limits)
        pretrained = _pretrained(scratch)
        baseline = None
        if assignment.has_shared_set:
            baseline = reference.prepare(
                assignment,
                held_out,
                staged,
                training.sha256,
                training.check_images,
                ready.files[assignment.reference.weights_name],
                context,
                cache,
                progress,
                unseen,
            )
        yield RunContext(
            assignment, held_out, staged, unseen, training, ready, pretrained, baseline, context, cache, progress
        )


def weights_file(name: str) -> Path:
    """The file of the weights `name`, or what stands in for it. Raises `MachineError` with the command that gets it."""
    file = weights.path(name)
    if file is None and (other := weights.standing_in(name)) is not None:
        file = weights.path(other.name)
    if file is None:
        raise MachineError(f"the pre-trained weights {name!r} are not on this machine", f"harness weights fetch {name}")
    return file


def _pretrained(scratch: Path) -> Pretrained:
    """All known backbones whose weights are on this machine, where the sandbox's user can read them."""
    (scratch / "pretrained").mkdir(mode=0o755)
    known = [entry for entry in weights.list_weights() if entry.is_backbone]
    entries = {entry.name: entry for entry in known if weights.path(entry.name) is not None}
    files = {name: readable_by_all(weights_file(name), scratch / "pretrained") for name in entries}
    return Pretrained(files, entries)


def _training_images(assignment: Assignment) -> TrainingImages:
    if assignment.dataset is None or assignment.dataset.path is None:
        return TrainingImages("", lambda: ())
    by_class = class_folders(assignment.dataset.path).values()
    in_turn = [file for row in zip_longest(*by_class) for file in row if file is not None]
    return TrainingImages(tree_sha256(assignment.dataset.path), lambda: in_turn[:_CHECK_IMAGES])


def _readable(assignment: Assignment, scratch: Path) -> Assignment:
    """The assignment with its training images and reference code where the sandbox's user can read them."""
    dataset = assignment.dataset
    if dataset is not None and dataset.path is not None:
        dataset = dataset.model_copy(update={"path": readable_by_all(dataset.path, scratch)})
    code = readable_by_all(assignment.reference.code, scratch)
    reference_solution = assignment.reference.model_copy(update={"code": code})
    return assignment.model_copy(update={"dataset": dataset, "reference": reference_solution})


def given_weights(assignment: Assignment, scratch: Path) -> Weights:
    """Weights and image sets that notebooks may load, where libraries look for them; and the reference's weights."""
    reference_name = assignment.reference.weights_name
    asked = {entry.name: entry for name in assignment.weights or () for entry in weights.named(name)}
    given = asked if assignment.weights is not None else _all_here()
    wanted = given | {entry.name: entry for entry in weights.named(reference_name)}
    named = {*asked, reference_name}
    hub = scratch / "hub-home"
    files, hashes = {}, {}
    for name, entry in wanted.items():
        original = weights_file(name)
        hashes[name] = file_sha256(original)
        place = scratch / original.name
        if name in given:
            place = hub / entry.mounted_path
            if (
                entry.place == "keras" and original.suffix != place.suffix
            ):  # a stand-in keeps its kind: the agent makes the file of it
                place = place.with_name(f"{place.name}{original.suffix}")
        place.parent.mkdir(parents=True, exist_ok=True)
        _link_or_copy(original, place)
        if name in named:
            files[name] = place
    if given:
        for folder in (hub, *(path for path in hub.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
    return Weights(hub if given else None, files, hashes)


def _all_here() -> dict[str, WeightsEntry]:
    """What is on this machine, and that for which something else stands in, by name."""
    known = {entry.name: entry for entry in weights.list_weights()}
    return {name: entry for name, entry in known.items() if weights.path(name) or weights.standing_in(name)}


def _link_or_copy(original: Path, place: Path) -> None:
    """The file where the sandbox's user can read it: hundreds of MB are not copied where a link does."""
    if original.stat().st_mode & 0o044 == 0o044:
        with contextlib.suppress(OSError):
            os.link(original, place)
            return
    shutil.copyfile(original, place)
    open_to_all(place)
