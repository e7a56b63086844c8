"""Which files of a submission may be its notebook and its model, the best first.

A model's rank is by what would be graded: a whole model before weights, weights with model.py before weights alone,
what can be read before what cannot; then what was trained before published weights, the name that we ask for, the
place, the newest. Whether its outputs fit the
classes is known only when it has been loaded: the stage `convert` tries one after the other. Of a detector's
checkpoints only the one that its trainer would export is a candidate.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path
from typing import NamedTuple

from harness.findings import Finding
from harness.findings.file_kinds import FILE_KINDS
from harness.inputs.submission import ModelFile, SubmittedFile
from harness.inputs.submissions.checkpoints import is_published, series
from harness.inputs.submissions.companions import belonging_to, is_called
from harness.inputs.submissions.parts import FACTORY, MODEL_SUFFIXES, NOTEBOOK_SUFFIX, SAVED_MODEL

_WHOLE, _WITH_CODE, _WEIGHTS, _UNKNOWN, _BROKEN, _FOREIGN = range(6)
MOST_TRIED = 6  # models of one submission
_MINUTE = 60  # seconds; files of one download are as old as each other
# Of foreign kinds, those that are no model at all come after those that are one elsewhere.
_NO_MODEL = ("tfjs-metadata", "keras-architecture", "history", "pickle", "sklearn", "hdf5-data", "darknet", "caffe")
# A folder with these files in it is one file, unpacked; the other of the two is beside or below the first.
_UNPACKED = {
    "unpacked-keras": ("config.json", "model.weights.h5"),
    "unpacked-torch": ("data.pkl", "version"),
}
_PARTS = ("data.pkl", "data", "config.json", "model.weights.h5")  # of these, which look like models themselves


class Aged(NamedTuple):
    """A file that may be a model, and when it was last changed, in seconds; 0 where that is not known."""

    file: SubmittedFile
    changed: float


def notebooks(files: Sequence[SubmittedFile]) -> list[Path]:
    """The notebooks, whatever they are called, then files that are only called so; the expected name first."""
    called = [file for file in files if file.path.suffix.lower() == NOTEBOOK_SUFFIX]
    found = [file for file in files if file.kind == "notebook"]
    found += [file for file in called if file.kind != "notebook"]

    def rank(file: SubmittedFile) -> tuple[bool, bool, bool, int, str]:
        path = file.path
        stem = path.name.split(".")[0].lower()
        is_called = path.suffix.lower() == NOTEBOOK_SUFFIX
        return (file.kind != "notebook", not is_called, stem != "notebook", len(path.parts), str(path))

    return [file.path for file in sorted(found, key=rank)]


def models(files: Sequence[Aged]) -> tuple[ModelFile, ...]:
    """The models, the best first, each with what belongs to it. A SavedModel or an unpacked file is its folder."""
    paths = [one.file.path for one in files]
    has_code = any(is_called(path.name, FACTORY) for path in paths)
    unpacked = _unpacked(files)
    parts = {one.file.path / name for one in unpacked for name in _PARTS}
    saved = {path.parent for path in paths if path.name == SAVED_MODEL}
    single = [_folder_of(one) for one in files if _may_be(one.file) and not _is_part(one.file, parts, saved)]
    trained = series([one.file.path for one in single if FILE_KINDS[one.file.kind].use in ("model", "weights")])
    passed_over = {one.path for folder in trained for one in folder.passed_over}
    possible = [*unpacked, *(one for one in single if one.file.path not in passed_over)]
    best = sorted(possible, key=lambda one: _rank(one, has_code))[:MOST_TRIED]
    said = {folder.taken.path: folder.findings() for folder in trained}
    return tuple(_with_companions(one.file, paths, said.get(one.file.path, ())) for one in best)


def _with_companions(file: SubmittedFile, paths: Sequence[Path], findings: tuple[Finding, ...]) -> ModelFile:
    companions, about = belonging_to(file.path, paths)
    return ModelFile(file.path, file.kind, companions, (*findings, *about))


def _is_part(file: SubmittedFile, parts: Set[Path], saved: Set[Path]) -> bool:
    """Whether the file is one of an unpacked file's `parts`, or lies in a SavedModel, one of the folders `saved`."""
    if not parts.isdisjoint((file.path, *file.path.parents)):
        return True
    return file.kind in ("frozen-graph", "tf-checkpoint") and not saved.isdisjoint(file.path.parents)


def _folder_of(one: Aged) -> Aged:
    path = one.file.path
    return Aged(SubmittedFile(path.parent, one.file.kind), one.changed) if path.name == SAVED_MODEL else one


def _may_be(file: SubmittedFile) -> bool:
    kind = FILE_KINDS[file.kind]
    if kind.use in ("model", "weights", "foreign"):
        return True
    return file.path.suffix.lower() in MODEL_SUFFIXES and kind.use in ("broken", "other")


def _rank(one: Aged, has_code: bool) -> tuple[int, bool, bool, int, bool, int, int, str]:
    path, kind = one.file
    use = FILE_KINDS[kind].use
    tier = {"model": _WHOLE, "weights": _WITH_CODE if has_code else _WEIGHTS, "broken": _BROKEN, "foreign": _FOREIGN}
    suffix = path.suffix.lower()
    return (
        tier.get(use, _UNKNOWN),
        is_published(path),
        path.stem.lower() != "model",
        len(path.parts),
        kind in _NO_MODEL,
        -int(one.changed // _MINUTE),
        MODEL_SUFFIXES.index(suffix) if suffix in MODEL_SUFFIXES else len(MODEL_SUFFIXES),
        str(path),
    )


def _unpacked(files: Sequence[Aged]) -> list[Aged]:
    """The folders that are an unpacked .keras or file of torch.save."""
    there = {one.file.path for one in files}
    return [
        Aged(SubmittedFile(one.file.path.parent, kind), one.changed)
        for one in files
        for kind, (first, other) in _UNPACKED.items()
        if one.file.path.name == first and one.file.path.parent / other in there
    ]
