"""Prepares the images of a course whose task is detection: reads both data sets with boxes, and chooses some of them.

`context.py` stages what this gives, as it does images in class folders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from harness.errors import AssignmentError, MachineError
from harness.files.hashing import tree_sha256
from harness.files.temporary_folders import own_folder
from harness.grading.detection.object_sets import (
    ObjectFolder,
    by_class,
    checked,
    classes_of,
    held_out_set,
    in_turn,
    known_set,
)
from harness.grading.materials import readable_tree
from harness.inputs.assignment import Assignment
from harness.inputs.images import CHECK_IMAGES, NO_SET, NO_TRAINING_IMAGES, HeldOutSet, TrainingImages
from harness.inputs.images.decoding import UNDECODABLE, upright_rgb
from harness.stages.detection.read_boxes import READ_BOXES, ReadBoxesRequest
from harness.stages.evidence.stage_result import NOT_THE_STUDENTS, Done
from harness.stages.runner import StageRunner


@dataclass(frozen=True, slots=True)
class ObjectImages:
    """The course's images with their objects. `held_out` and `known` are `NO_SET` where there are none."""

    held_out: HeldOutSet
    training: TrainingImages
    known: HeldOutSet


def object_images(assignment: Assignment, runner: StageRunner, say: Callable[[str], None]) -> ObjectImages:
    """The course's images; `say` is told when a data set is read.

    Raises `AssignmentError` for sets on which detectors cannot be graded, `MachineError` where an engine failed.
    """
    dataset, path = assignment.dataset, assignment.held_out.path
    held_out = None if path is None else read_folder(path, runner, say)
    given = None if dataset is None or dataset.path is None else read_folder(dataset.path, runner, say)
    classes = checked(held_out, given) if held_out is not None else ()
    if given is None or dataset is None:
        training = NO_TRAINING_IMAGES if dataset is None else TrainingImages(dataset, "", lambda: ())
        known = NO_SET
    else:
        classes = classes or classes_of(given.reading)
        known = known_set(given, classes, _decodes)
        training = TrainingImages(
            dataset,
            tree_sha256(given.folder),
            lambda: list(islice(_decodable(given, classes), CHECK_IMAGES)),
            lambda: by_class(given, classes),
        )
    return ObjectImages(NO_SET if held_out is None else held_out_set(held_out, classes), training, known)


def read_folder(folder: Path, runner: StageRunner, say: Callable[[str], None]) -> ObjectFolder:
    """What is on the images in a folder, read once for its content.

    A copy that the sandbox's user can read exists only meanwhile, since held-out boxes are a secret. Raises
    `AssignmentError` for a folder that cannot be read, `MachineError` where an engine failed.
    """

    def starting() -> None:
        say(f"Reading the images and boxes in {folder}; this is done once ...")

    with own_folder("harness-boxes-", runner.context.store.folder) as scratch:
        place = readable_tree(folder, scratch / "set")
        found = runner.run(READ_BOXES, ReadBoxesRequest(place, tree_sha256(place)), starting=starting)
    if isinstance(found, Done):
        return ObjectFolder(folder, found.value)
    if any(one.code in NOT_THE_STUDENTS for one in found.findings):
        raise MachineError(f"{folder}: the boxes were not read: {found.whole_reason}", "run the same command again")
    raise AssignmentError(f"{folder}: {found.whole_reason}", "correct the data set, or give another folder")


def _decodable(one: ObjectFolder, classes: tuple[str, ...]) -> Iterator[Path]:
    return filter(_decodes, map(one.file, in_turn(one, classes)))


def _decodes(file: Path) -> bool:
    try:
        upright_rgb(file)
    except UNDECODABLE:
        return False
    return True
