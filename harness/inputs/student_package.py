"""A student's package: the public part of an assignment, with the reference's scores in place of its code and weights.

    assignment.toml          what students may know of the assignment
    images/<class>/...       public images, labelled, or for detection with boxes in Pascal VOC's layout; missing where
                             each student has images of their own
    reference_scores.json    `ReferenceScores`, or for detection `DetectorScores`: the reference on the public images

`harness release` writes it, `harness check` reads it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from harness.errors import AssignmentError
from harness.inputs.detector_scores import DetectorScores
from harness.inputs.images.folders import class_folders
from harness.inputs.published import Published, ReferenceLatency, ReferenceOnBoard, Share

ASSIGNMENT = "assignment.toml"
IMAGES = "images"
SCORES = "reference_scores.json"
_TASK = re.compile(rb'"task"\s*:\s*"detection"')
_MOST_BYTES = 16 << 20  # of the scores; an image takes a line


class ReferenceScores(Published):
    """How good and how fast the reference is: all that a student gets of it."""

    schema_: Literal[1] = Field(1, alias="schema")
    backbone: str = Field(max_length=100)
    images_sha256: str  # `HeldOutSet.sha256` of the public images that it was scored on
    accuracy: Share
    accuracy_interval: tuple[Share, Share]  # 95 %
    right: dict[str, bool] = Field(min_length=1)  # "class/file" below `images/` -> whether it answers right
    latency: ReferenceLatency | None = None
    boards: tuple[ReferenceOnBoard, ...] = ()

    @model_validator(mode="after")
    def _accuracy_is_that_of_the_answers(self) -> ReferenceScores:
        share = sum(self.right.values()) / len(self.right)
        if abs(share - self.accuracy) > 1e-6:
            raise ValueError(f"accuracy is {self.accuracy:g}, but {share:g} of the answers in `right` are right")
        return self


@dataclass(frozen=True, slots=True)
class StudentPackage:
    """A student's package that was read and checked."""

    folder: Path
    scores: ReferenceScores | None  # None where the package has none
    detector: DetectorScores | None = None  # for detection, in place of `scores`

    @property
    def assignment(self) -> Path:
        return self.folder / ASSIGNMENT

    @property
    def images(self) -> Path | None:
        """The public images, in class folders; None where there are none."""
        folder = self.folder / IMAGES
        return folder if folder.is_dir() and class_folders(folder) else None


def name_of(image: PurePath, images: PurePath) -> str:
    """The key of a public image in `ReferenceScores.right`: `class/file`, alike on every system."""
    return unicodedata.normalize("NFC", image.relative_to(images).as_posix())


def is_package(path: Path) -> bool:
    """Whether the folder holds a student's package."""
    return (path / ASSIGNMENT).is_file() and ((path / SCORES).is_file() or (path / IMAGES).is_dir())


def read_package(folder: Path) -> StudentPackage:
    """The student's package in `folder`. Raises `AssignmentError` where a part is missing, damaged or changed."""
    if not (folder / ASSIGNMENT).is_file():
        raise AssignmentError(f"{folder / ASSIGNMENT}: no such file", _AGAIN)
    file = folder / SCORES
    found = _scores(file) if file.is_file() else None
    if isinstance(found, DetectorScores):  # whose images are read with their boxes, in the sandbox
        return StudentPackage(folder, None, found)
    if found is not None:
        _check_images(folder / IMAGES, found.right)
    return StudentPackage(folder, found)


_AGAIN = "unpack the package that your course gives out once more"


def _scores(file: Path) -> ReferenceScores | DetectorScores:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise AssignmentError(f"{file}: has more than {_MOST_BYTES >> 20} MiB", _AGAIN)
        content = file.read_bytes()
        kind = DetectorScores if _TASK.search(content) else ReferenceScores
        return kind.model_validate_json(content)
    except OSError as error:
        raise AssignmentError(f"{file}: cannot be read: {error.strerror}", _AGAIN) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise AssignmentError(f"{file}: {where}: {first['msg']}", _AGAIN) from error


def _check_images(images: Path, right: Mapping[str, bool]) -> None:
    """Raises `AssignmentError` where the images are not those that the reference answered."""
    there = set[str]()
    if images.is_dir():
        there = {name_of(file, images) for files in class_folders(images).values() for file in files}
    if missing := sorted(set(right) - there):
        raise AssignmentError(f"{images}: {len(missing)} public images are missing, {missing[0]!r} first", _AGAIN)
    if added := sorted(there - set(right)):
        what = f"{images}: {len(added)} images are not the course's, {added[0]!r} first"
        raise AssignmentError(what, f"move them elsewhere, or {_AGAIN}")
