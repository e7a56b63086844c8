"""The models and images that the command line names: model files with their companions, images with labels or not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.files.hashing import file_sha256
from harness.inputs.images import HeldOutSet, load
from harness.inputs.images.folders import IMAGE_SUFFIXES, class_folders, is_image
from harness.inputs.submissions.external_data import external_data
from harness.inputs.submissions.parts import COMPANIONS
from harness.stages.convert import HandedModel

_MOST_CALIBRATION = 64  # images


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model to measure, under a name that no other has."""

    name: str
    handed: HandedModel
    is_reference: bool = False
    about: str = ""  # where it comes from, if it was not given as a file


@dataclass(frozen=True, slots=True)
class GivenImages:
    """The given images: those to time and score on, and those kept apart to calibrate int8 on."""

    scored: HeldOutSet
    calibration: HeldOutSet | None
    labelled: bool


def check_there(path: Path) -> None:
    """Raises `UsageError` for a path with no model file at it."""
    _model_file(path)


def named_models(
    files: Sequence[Path], reference: Path | None, about: Mapping[Path, str] | None = None
) -> tuple[NamedModel, ...]:
    """The models, the reference first. `about`: a sentence on some files. Raises `UsageError` as `check_there`."""
    every = [*([reference] if reference else []), *files]
    found = [_model_file(path) for path in every]
    names = _names(found)
    return tuple(
        NamedModel(
            name,
            HandedModel(file, _companions(file)),
            is_reference=bool(reference) and index == 0,
            about=(about or {}).get(file, ""),
        )
        for index, (name, file) in enumerate(zip(names, found, strict=True))
    )


def _model_file(path: Path) -> Path:
    """The file itself, or the one `model.*` in a folder."""
    if path.is_dir():
        models = sorted(file for file in path.glob("model.*") if file.name not in COMPANIONS and file.is_file())
        if len(models) != 1:
            found = f"holds {len(models)} files named model.*" if models else "is a folder without a file model.*"
            raise UsageError(f"{path}: {found}", "give the model file itself")
        return models[0]
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file", "give the path of a model: .onnx, .pt, .keras, ...")
    return path


def _companions(file: Path) -> dict[str, Path]:
    named = {name: file.parent / name for name in COMPANIONS if (file.parent / name).is_file()}
    beside = [Path(other.name) for other in file.parent.iterdir() if other.is_file()]
    data = external_data(file.parent, Path(file.name), beside)
    return named | {companion.role: file.parent / companion.path for companion in data}


def _names(files: Sequence[Path]) -> list[str]:
    """File names without suffix if they are unique, else with as many leading folders as needed."""
    for depth in range(1, 1 + max((len(file.resolve().parts) for file in files), default=1)):
        names = ["/".join((*file.resolve().parts[-depth:-1], file.stem)) for file in files]
        if depth == 1 and "model" in names:
            continue  # a generic name; its folder's name is used
        if len(set(names)) == len(names):
            return names
    raise UsageError("one model is named twice", "name each model once")


def given_images(folder: Path, *, calibrate: bool) -> GivenImages:
    """The images in a folder, or in its class folders, whose names then are the labels.

    `calibrate`: keep a quarter of them, at most 64, for calibration. Raises `UsageError` for no or too few images.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder", "give a folder of images, or of class folders")
    labelled = any(class_folders(folder).values())
    found = load(folder) if labelled else _flat(folder)
    if not calibrate:
        return GivenImages(found, None, labelled)
    if len(found.files) < 4:
        raise UsageError(
            f"{folder}: {len(found.files)} images are too few to calibrate int8 on and to time with",
            "give at least 4, better some hundred",
        )
    step = max(4, -(-len(found.files) // _MOST_CALIBRATION))
    chosen = set(range(0, len(found.files), step))
    rest = [index for index in range(len(found.files)) if index not in chosen]
    return GivenImages(_part(found, rest), _part(found, sorted(chosen)), labelled)


def _flat(folder: Path) -> HeldOutSet:
    files = tuple(sorted(file for file in folder.iterdir() if is_image(file.name)))
    if not files:
        suffixes = " ".join(IMAGE_SUFFIXES)
        raise UsageError(
            f"{folder}: no images in it, nor in class folders\n  looked for {suffixes}",
            "put images there, or leave --images out: inputs are then noise",
        )
    return _part(HeldOutSet(("",), files, (0,) * len(files), ""), range(len(files)))


def _part(whole: HeldOutSet, chosen: Sequence[int]) -> HeldOutSet:
    files, truth = tuple(whole.files[i] for i in chosen), tuple(whole.truth[i] for i in chosen)
    contents = tuple(map(file_sha256, files))
    listed = "\n".join(f"{content} {label}" for content, label in zip(contents, truth, strict=True))
    return HeldOutSet(whole.classes, files, truth, hashlib.sha256(listed.encode()).hexdigest(), contents=contents)
