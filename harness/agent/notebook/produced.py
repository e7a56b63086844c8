"""Finds the model that a notebook wrote, and the files beside it."""

from __future__ import annotations

import stat
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .known import known

_MOST_IN_ONE = 1000  # files of a SavedModel; TensorFlow writes 4 to 10
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """The names that a model's files have, the same as for a handed-in model."""

    suffixes: Sequence[str]  # of a model's file, in the order in which they are preferred
    saved_model: str  # a file whose folder is a model
    companions: Sequence[str]  # files that belong to a model beside it


def produced(
    folder: Path, before: Sequence[Path], notebook_folder: Path, scratch: Path, wanted: Wanted
) -> dict[str, Path]:
    """Name to send under -> file: the best model that the run made, and its companions.

    Companions come from the model's folder, else from the notebook's. Empty when the run made no model.

    `before`: the folders that existed when the run began; the run did not make a model whose content they hold.
    A SavedModel counts only if there is no model file. Its folder is sent as one zip, made in `scratch`.
    """
    there = _plain_files(folder)
    files = [file for file in there if file.suffix.lower() in wanted.suffixes]
    graphs = [file for file in there if file.name == wanted.saved_model]
    numbers = {graph: _variables(graph.parent) for graph in graphs}
    looked_at = [*files, *graphs, *(file for found in numbers.values() for file in found)]
    old = known(looked_at, before)
    models = [file for file in files if file not in old]
    saved = [graph.parent for graph in graphs if not old.issuperset(numbers[graph] or [graph])]
    if models:
        best = min(models, key=lambda file: _rank(file, folder, wanted.suffixes))
        found = {f"model{best.suffix.lower()}": _with_its_data(best, scratch / "whole.onnx")}
    elif saved:
        best = min(saved, key=lambda place: (len(place.parts), str(place)))
        try:
            found = {"saved_model.zip": _zipped(best, scratch / "saved_model.zip")}
        except OSError:  # the disk that the notebook may fill is full
            return {}
    else:
        return {}
    for name in wanted.companions:
        for place in (best.parent, notebook_folder):
            if _is_plain(place / name):
                found[name] = place / name
                break
    return found


def _with_its_data(model: Path, file: Path) -> Path:
    """The model or, if it is an ONNX file whose weights lie in files beside it, a whole one, written to `file`.

    torch.onnx.export writes two files unless it is told not to.
    """
    if model.suffix.lower() != ".onnx":
        return model
    try:
        from ..graph.onnx_model import whole

        beside = {str(one.relative_to(model.parent)): one for one in _plain_files(model.parent)}
        content = whole(model, beside)
        if content is None:
            return model
        file.write_bytes(content)
        return file
    except Exception as error:  # the stage `convert` says what is wrong with the file itself
        print(f"{model.name} is sent without its external data: {type(error).__name__}", file=sys.stderr)
        return model


def _variables(place: Path) -> list[Path]:
    """The weight files of a SavedModel; the graph beside them does not change with another training."""
    inside = place / "variables"
    return [file for file in _plain_files(inside) if file.name.startswith("variables.data-")] if inside.is_dir() else []


def _zipped(folder: Path, file: Path) -> Path:
    """The folder's plain files as an uncompressed zip; the sandbox limits how much may be sent."""
    with zipfile.ZipFile(file, "w", strict_timestamps=False) as archive:
        for inside in _plain_files(folder)[:_MOST_IN_ONE]:
            archive.write(inside, inside.relative_to(folder))
    return file


def _rank(file: Path, folder: Path, suffixes: Sequence[str]) -> tuple[bool, int, int, str]:
    depth = len(file.relative_to(folder).parts)
    return (file.stem.lower() != "model", depth, suffixes.index(file.suffix.lower()), file.name)


def _plain_files(folder: Path) -> list[Path]:
    found, level = [], [folder]
    for _ in range(_DEEPEST):
        below: list[Path] = []
        for place in level:
            try:
                entries = list(place.iterdir())
            except OSError:
                continue
            found += [entry for entry in entries if _is_plain(entry)]
            below += [e for e in entries if e.is_dir() and not e.is_symlink() and not e.name.startswith(".")]
        level = below
    return found


def _is_plain(file: Path) -> bool:
    try:
        return stat.S_ISREG(file.lstat().st_mode)
    except OSError:
        return False
