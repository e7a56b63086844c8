"""Everything that is the same for every hand-in of a run, made ready: pictures, weights, engine, reference."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import boards, images, reference, weights
from harness.assignment import Assignment, class_folders
from harness.cache import StageCache
from harness.errors import MachineError
from harness.grade.rubric import check as check_rubric
from harness.progress import Progress
from harness.run import Course, TrainingPictures, Weights
from harness.sandbox import Sandbox, open_to_all, readable_by_all
from harness.stages.workplace import Workplace
from harness.store import Store, default_folder, file_sha256

_CHECK_IMAGES = 12  # at least 8 are compared


@contextlib.contextmanager
def prepared(assignment: Assignment, sandbox: Sandbox, progress: Progress, *, force: bool = False) -> Iterator[Course]:
    """The course of a run; its temporary pictures and weights are gone afterwards.

    Raises `UsageError` for a board that is not known, `AssignmentError` for pictures that do not decode,
    `MachineError` for weights that are not here and for a reference that does not train.
    """
    check_rubric(assignment)
    for board in assignment.boards:
        boards.load(board)
    store = Store(default_folder())
    cache = StageCache(store, sandbox.environment_id, force=force)
    with TemporaryDirectory(prefix="harness-course-") as temporary:
        scratch = Path(temporary)
        assignment = _readable(assignment, scratch)
        held_out = images.load(assignment.held_out.path) if assignment.held_out else images.NO_SET
        staged = images.stage(held_out, scratch / "images")
        training = _training_pictures(assignment)
        ready = _weights(assignment, scratch)
        workplace = Workplace(sandbox, store, assignment.limits)
        baseline = None
        if assignment.has_shared_set:
            baseline = reference.prepare(
                assignment,
                held_out,
                staged,
                training.sha256,
                training.check_images,
                ready.files[assignment.reference.weights_name],
                workplace,
                cache,
                progress,
            )
        yield Course(
            assignment, held_out, staged, training, ready, baseline, _embedder(scratch), workplace, cache, progress
        )


def weights_file(name: str) -> Path:
    """The file of the weights `name`. Raises `MachineError` with the command that gets it."""
    file = weights.path(name)
    if file is None:
        raise MachineError(f"the pre-trained weights {name!r} are not on this machine", f"harness weights fetch {name}")
    return file


def _embedder(scratch: Path) -> Path | None:
    """MobileNetV2's weights where the sandbox's user can read them, if they are on this machine."""
    file = weights.path("mobilenet_v2")
    return readable_by_all(file, scratch) if file is not None else None


def _training_pictures(assignment: Assignment) -> TrainingPictures:
    if assignment.dataset is None:
        return TrainingPictures("", ())
    by_class = class_folders(assignment.dataset.path).values()
    in_turn = [file for row in zip_longest(*by_class) for file in row if file is not None]
    return TrainingPictures(reference.tree_sha256(assignment.dataset.path), tuple(in_turn[:_CHECK_IMAGES]))


def _readable(assignment: Assignment, scratch: Path) -> Assignment:
    """The assignment with its training pictures and reference code where the sandbox's user can read them."""
    dataset = assignment.dataset
    if dataset is not None:
        dataset = dataset.model_copy(update={"path": readable_by_all(dataset.path, scratch)})
    code = readable_by_all(assignment.reference.code, scratch)
    reference_solution = assignment.reference.model_copy(update={"code": code})
    return assignment.model_copy(update={"dataset": dataset, "reference": reference_solution})


def _weights(assignment: Assignment, scratch: Path) -> Weights:
    """The weights that notebooks may load, in a folder where torch looks for them; and the reference's."""
    hub = scratch / "hub-home"
    files, hashes = {}, {}
    for name in dict.fromkeys((*assignment.weights, assignment.reference.weights_name)):
        original = weights_file(name)
        hashes[name] = file_sha256(original)
        files[name] = hub / weights.hub_path(name) if name in assignment.weights else scratch / original.name
        files[name].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(original, files[name])
        open_to_all(files[name])
    if hub.exists():
        open_to_all(hub)
    return Weights(hub if assignment.weights else None, files, hashes)
