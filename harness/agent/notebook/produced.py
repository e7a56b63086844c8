"""Finds the models that a notebook wrote, and the files that may belong to them."""

from __future__ import annotations

import stat
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..models.model_file import is_weights, may_be_model
from .known import known

_MOST_IN_ONE = 1000  # files of a SavedModel; TensorFlow writes 4 to 10
_MOST_LOOKED_AT = 500  # files that may be models
_MOST_WHOLE = 6  # files with weights alone that are made whole
_DEEPEST = 6
_SMALL = 1 << 20  # bytes of a file that belongs to a model


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files are sent."""

    suffixes: Sequence[str]  # of a model's file
    saved_model: str  # a file whose folder is a model
    companions: Sequence[str]  # names, in small letters, of files that belong to a model
    most_models: int
    most_companions: int
    most_bytes: int  # of all models together; the first is sent whatever its size


class Produced(NamedTuple):
    """A file that the run made."""

    file: Path  # where it is
    path: str  # what the student calls it: its path below the folder in which the notebook ran
    changed: float  # when it was last written, in seconds since 1970


def weights_alone(folder: Path, before: Path) -> list[Path]:
    """The files that hold weights without their model, and that are not in the folder `before` as they are."""
    found = [file for file in _plain_files(folder) if is_weights(file)]
    return [file for file in found if not _is_there(file, before / file.relative_to(folder))][:_MOST_WHOLE]


def _is_there(file: Path, other: Path) -> bool:
    try:
        found, copied = other.stat(), file.stat()
    except OSError:
        return False
    return (found.st_size, int(found.st_mtime)) == (copied.st_size, int(copied.st_mtime))


def produced(
    folder: Path, before: Sequence[Path], scratch: Path, wanted: Wanted, whole: Mapping[Path, Path] | None = None
) -> dict[str, Produced]:
    """Name to send under -> what the run made: models, the likeliest first, then what may belong to them.

    Empty when the run made no model. Which model is graded is decided where all of them are known.

    `before`: the folders that existed when the run began; the run did not make a model whose content they hold.
    A SavedModel's folder is sent as one zip, made in `scratch`. `whole`: of files with weights alone, the same with
    their model, which is sent in their place.
    """
    there = _plain_files(folder)
    files = [file for file in there if _is_called(file, wanted) or may_be_model(file)][:_MOST_LOOKED_AT]
    graphs = [file for file in there if file.name == wanted.saved_model]
    numbers = {graph: _variables(graph.parent) for graph in graphs}
    whole = {file: instead for file, instead in (whole or {}).items() if _is_plain(instead)}
    variables = [file for found in numbers.values() for file in found]
    looked_at = [*files, *graphs, *variables, *whole.values()]
    old = known(looked_at, before)
    models = [file for file in files if file not in old]
    saved = [graph.parent for graph in graphs if not old.issuperset(numbers[graph] or [graph])]
    found: dict[str, Produced] = {}
    size = 0
    for file in sorted(models, key=lambda file: _rank(file, folder, wanted)):
        sent = whole[file] if file in whole and whole[file] not in old else file
        sent = _with_its_data(sent, scratch / f"whole-{len(found)}.onnx")
        size += sent.stat().st_size
        if len(found) < wanted.most_models and (not found or size <= wanted.most_bytes):
            found[f"model-{len(found)}{_suffix(sent)}"] = _named(sent, file, folder)
    for place in sorted(saved, key=lambda place: (len(place.parts), str(place))):
        if len(found) < wanted.most_models and (packed := _zipped(place, scratch / f"saved_model-{len(found)}.zip")):
            found[packed.name] = _named(packed, place, folder)
    if found:
        beside = [file for file in there if file.name.lower() in wanted.companions and file.stat().st_size <= _SMALL]
        for index, file in enumerate(sorted(beside, key=lambda file: (len(file.parts), str(file)))):
            if index < wanted.most_companions:
                found[f"beside-{index}{_suffix(file)}"] = _named(file, file, folder)
    return found


def _named(file: Path, called: Path, folder: Path) -> Produced:
    changed = called.stat().st_mtime
    path = str(called.relative_to(folder))
    return Produced(file, "saved_model" if path == "." else path, changed)


def _is_called(file: Path, wanted: Wanted) -> bool:
    return file.suffix.lower() in wanted.suffixes


def _suffix(file: Path) -> str:
    """The suffix where it is plain, since a sent name may hold letters and digits only."""
    suffix = file.suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= 12 else ""


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


def _zipped(folder: Path, file: Path) -> Path | None:
    """The folder's plain files as an uncompressed zip; None where the disk that the notebook may fill is full."""
    try:
        _write_zip(folder, file)
    except OSError:
        return None
    return file


def _write_zip(folder: Path, file: Path) -> None:
    with zipfile.ZipFile(file, "w", strict_timestamps=False) as archive:
        for inside in _plain_files(folder)[:_MOST_IN_ONE]:
            archive.write(inside, inside.relative_to(folder))


def _rank(file: Path, folder: Path, wanted: Wanted) -> tuple[bool, bool, int, float, str]:
    depth = len(file.relative_to(folder).parts)
    is_called = _is_called(file, wanted)
    return (file.stem.lower() != "model", not is_called, depth, -file.stat().st_mtime, file.name)


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
