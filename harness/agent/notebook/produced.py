"""The model that a notebook wrote, and what lies beside it."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .known import known

_MOST_IN_ONE = 1000  # files of a SavedModel; TensorFlow writes 4 to 10
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """The names by which a model is known: as the harness has them for what is handed in."""

    suffixes: Sequence[str]  # of a model's file, in the order in which they are preferred
    saved_model: str  # a file whose folder is a model
    companions: Sequence[str]  # what belongs to a model beside it


def produced(
    folder: Path, before: Sequence[Path], notebook_folder: Path, scratch: Path, wanted: Wanted
) -> dict[str, Path]:
    """Name to send under -> file: the best model whose content was not there before the run, and its
    companions, from its folder or else from the notebook's. Empty when no model was made.

    `before`: the folders that lay there when the run began; a model in them, under whatever name, was not made by it.
    A SavedModel counts where there is no file of a model. Its folder is sent as one zip, made in `scratch`.
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
        found = {f"model{best.suffix.lower()}": best}
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


def _variables(place: Path) -> list[Path]:
    """The files of a SavedModel's weights; the graph beside them is the same after another training."""
    inside = place / "variables"
    return [file for file in _plain_files(inside) if file.name.startswith("variables.data-")] if inside.is_dir() else []


def _zipped(folder: Path, file: Path) -> Path:
    """The plain files of the folder, not compressed: the sandbox bounds how much may be sent."""
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
