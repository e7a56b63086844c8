"""The files in which an ONNX model's weights lie (`model.onnx.data`), as companions of the model.

A separate process reads which locations the model names. They are a student's words, so a file is taken only where it
lies in the model's own folder or, under the same name, elsewhere in the submission: a plain file, reached through no
link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from harness.inputs.submission import Companion
from harness.inputs.submissions.child import Unreadable, ask_alone, path_text

_ROLE = "external data: "  # and after it the location, as the model names it


def external_data(root: Path, model: Path, files: Sequence[Path]) -> tuple[Companion, ...]:
    """The files with the weights of the model at `root / model`, of the submission's `files`, which are below `root`.

    Empty for a model that holds its weights itself, and without those that are not there.
    """
    if not (root / model).is_file():
        return ()
    locations, taken = _locations(root / model), []
    for location in locations:
        file = _found(model, location, files, alone=len(locations) == 1)
        if file is not None and _is_plain(root, file):
            taken.append(Companion(f"{_ROLE}{location}", file))
    return tuple(taken)


def external_data_of(companions: Mapping[str, Path]) -> dict[str, Path]:
    """Of a model's companions, the files with its weights: location as the model names it -> file."""
    return {role.removeprefix(_ROLE): file for role, file in companions.items() if role.startswith(_ROLE)}


def _locations(model: Path) -> list[str]:
    try:
        said = ask_alone("external data", file=path_text(model.absolute()))
    except Unreadable:
        return []
    return [one for one in said if isinstance(one, str) and one.isprintable()] if isinstance(said, list) else []


def _found(model: Path, location: str, files: Sequence[Path], *, alone: bool) -> Path | None:
    """The file for a location: where it says, then beside the model, then the only one of that name.

    `alone`: the model has one such file, which may also be called as the model is now, with `.data` behind.
    """
    place = PurePosixPath(location.replace("\\", "/"))
    if not place.name or place.name == "..":
        return None
    beside = model.parent
    names = [place.name, *((f"{model.name}.data", f"{model.stem}.data") if alone else ())]
    wanted = [] if place.is_absolute() or ".." in place.parts else [beside / place]
    wanted += [beside / name for name in names]
    there = set(files)
    for one in wanted:
        if one in there:
            return one
    elsewhere = [file for file in files if file.name == place.name]
    return elsewhere[0] if len(elsewhere) == 1 else None


def _is_plain(root: Path, file: Path) -> bool:
    """Whether it is a file below `root` that no link leads to."""
    try:
        return (root / file).is_file() and (root / file).resolve() == root.resolve() / file
    except OSError:
        return False
