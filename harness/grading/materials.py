"""Puts a run's inputs where the sandbox's user can read them: images, weights, reference code."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping, Set
from itertools import zip_longest
from pathlib import Path

from harness.errors import MachineError
from harness.files.hashing import file_sha256, tree_sha256
from harness.inputs import weights
from harness.inputs.assignment import Assignment
from harness.inputs.given_weights import GivenWeights, KnownBackbones
from harness.inputs.images import CHECK_IMAGES, NO_TRAINING_IMAGES, TrainingImages
from harness.inputs.images.folders import class_folders, listed
from harness.inputs.images.laying_out import laid_out
from harness.inputs.images.whole_tree import whole_tree
from harness.inputs.weights import WeightsEntry
from harness.sandbox import open_to_all, readable_by_all


def weights_file(name: str) -> Path:
    """The file of the weights `name`, or its stand-in. Raises `MachineError` with the command that fetches it."""
    file = weights.path(name)
    if file is None and (other := weights.standing_in(name)) is not None:
        file = weights.path(other.name)
    if file is None:
        raise MachineError(
            f"the pre-trained weights {name!r} are not on this machine", weights.named(name)[0].brought_by
        )
    return file


def known_backbones(scratch: Path) -> KnownBackbones:
    """All known backbones whose weights are on this machine, readable for the sandbox's user."""
    (scratch / "pretrained").mkdir(mode=0o755)
    known = [entry for entry in weights.list_weights() if entry.is_backbone]
    entries = {entry.name: entry for entry in known if weights.path(entry.name) is not None}
    files = {name: readable_by_all(weights_file(name), scratch / "pretrained") for name in entries}
    return KnownBackbones(files, entries)


def training_images(assignment: Assignment) -> TrainingImages:
    """The course's training images, with some of each class for checking conversions."""
    if assignment.dataset is None or assignment.dataset.path is None:
        return NO_TRAINING_IMAGES if assignment.dataset is None else TrainingImages(assignment.dataset, "", lambda: ())
    by_class = class_folders(assignment.dataset.path)
    in_turn = [file for row in zip_longest(*by_class.values()) for file in row if file is not None]
    sha256 = tree_sha256(assignment.dataset.path)
    return TrainingImages(assignment.dataset, sha256, lambda: in_turn[:CHECK_IMAGES], lambda: by_class)


def readable(assignment: Assignment, scratch: Path, say: Callable[[str], None] = lambda _: None) -> Assignment:
    """The assignment with training images and code that the sandbox's user can read, copied where necessary.

    `say` is told of images that had to be written anew, or do not decode.
    """
    code = assignment.reference.code and readable_by_all(assignment.reference.code, scratch)
    reference_solution = assignment.reference.model_copy(update={"code": code})
    return with_readable_images(assignment, scratch, say).model_copy(update={"reference": reference_solution})


def with_readable_images(assignment: Assignment, scratch: Path, say: Callable[[str], None]) -> Assignment:
    """As `readable`, without the reference's code. A data set with boxes stays as it lies."""
    dataset = assignment.dataset
    if dataset is not None and dataset.path is not None and assignment.task == "detection":
        folder = readable_tree(dataset.path, scratch / "training")
        dataset = dataset.model_copy(update={"path": folder, "layout": "as-it-is"})
    elif dataset is not None and dataset.path is not None:
        images = laid_out(dataset.path, scratch / "training-images")
        for files, what in (
            (images.rewritten, "written anew for notebooks and the reference, upright and with 8 bits RGB"),
            (images.left_out, "left out: they do not decode. Replace them, or take them out of the folder"),
        ):
            if files:
                say(f"{listed(files, dataset.path)} of dataset.path: {what}.")
        dataset = dataset.model_copy(update={"path": readable_by_all(images.folder, scratch)})
    return assignment.model_copy(update={"dataset": dataset})


def readable_tree(folder: Path, scratch: Path) -> Path:
    """The folder itself if it has no links and every user may read it, else a copy in `scratch`, which is made.

    Raises `AssignmentError` for links that cannot be followed.
    """
    scratch.mkdir(mode=0o755)
    scratch.chmod(0o755)
    without_links = whole_tree(folder, scratch / "files")
    if without_links == folder:
        return readable_by_all(folder, scratch)
    open_to_all(without_links)
    return without_links


def given_weights(assignment: Assignment, scratch: Path) -> GivenWeights:
    """Weights and image sets that notebooks may load, laid out for the libraries; and the reference's weights."""
    reference_name = assignment.reference.weights_name
    asked = {entry.name: entry for name in assignment.weights or () for entry in weights.named(name)}
    given = asked if assignment.weights is not None else _all_here()
    wanted = given | {entry.name: entry for entry in weights.named(reference_name)}
    return _laid_out_for_libraries(given, wanted, {*asked, reference_name}, scratch)


def weights_here(assignment: Assignment, scratch: Path) -> tuple[GivenWeights, tuple[str, ...]]:
    """As `given_weights`, without the reference's and those that are not on this machine; and the names of these."""
    here = _all_here()
    asked = (
        here if assignment.weights is None else {e.name: e for name in assignment.weights for e in weights.named(name)}
    )
    given = {name: entry for name, entry in asked.items() if name in here}
    missing = tuple(name for name in asked if name not in here)
    named = set(given) if assignment.weights is not None else set[str]()
    return _laid_out_for_libraries(given, given, named, scratch), missing


def _laid_out_for_libraries(
    given: Mapping[str, WeightsEntry], wanted: Mapping[str, WeightsEntry], named: Set[str], scratch: Path
) -> GivenWeights:
    """The files of `wanted`; those of `given` are in the folder that is mounted."""
    hub = scratch / "hub-home"
    files, hashes = {}, {}
    for name, entry in wanted.items():
        original = weights_file(name)
        hashes[name] = file_sha256(original)
        place = scratch / original.name
        if name in given:
            place = hub / entry.mounted_path
            if entry.place == "keras" and original.suffix != place.suffix:
                # A stand-in keeps its format; the agent makes the file from it.
                place = place.with_name(f"{place.name}{original.suffix}")
        place.parent.mkdir(parents=True, exist_ok=True)
        _link_or_copy(original, place)
        if name in named:
            files[name] = place
    if given:
        for folder in (hub, *(path for path in hub.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
    return GivenWeights(hub if given else None, files, hashes)


def _all_here() -> dict[str, WeightsEntry]:
    """The entries on this machine, and those that have a stand-in here, by name."""
    known = {entry.name: entry for entry in weights.list_weights()}
    return {name: entry for name, entry in known.items() if weights.path(name) or weights.standing_in(name)}


def _link_or_copy(original: Path, place: Path) -> None:
    """Make the file readable for the sandbox's user: as a hard link if possible, since files have hundreds of MB."""
    if original.stat().st_mode & 0o044 == 0o044:
        with contextlib.suppress(OSError):
            os.link(original, place)
            return
    shutil.copyfile(original, place)
    open_to_all(place)
