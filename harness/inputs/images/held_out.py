"""The held-out set: the instructor's images with their labels, and their form inside the sandbox.

Labels never enter the sandbox. Images are re-encoded without metadata, and enter in an order that `secret_order.py`
draws.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import UnidentifiedImageError

from harness.errors import AssignmentError
from harness.files.hashing import file_sha256
from harness.inputs.images.decoding import UNDECODABLE, upright_rgb
from harness.inputs.images.folders import class_folders, images_in
from harness.inputs.images.objects import ImageObjects

LONGEST_SIDE = 1024  # pixels; no model here uses more


@dataclass(frozen=True, slots=True)
class HeldOutSet:
    """Images and labels in a fixed order: image i has the class `classes[truth[i]]`, or the objects `objects[i]`.

    `truth` is empty for detection, and `objects` for classification. `scenes`: a number for each image, equal for
    images of one scene; empty where that is not known, so that each image counts as a scene of its own.
    """

    classes: tuple[str, ...]
    files: tuple[Path, ...]
    truth: tuple[int, ...]
    sha256: str  # of the images' contents and labels or boxes, not of their names
    scenes: tuple[int, ...] = ()
    objects: tuple[ImageObjects, ...] = ()
    contents: tuple[str, ...] = ()  # the SHA-256 of each file when the set was loaded; empty where that is not known

    def content(self, index: int) -> IO[bytes]:
        """The file of image `index`. Raises `ImageChanged` for another than was loaded, and `OSError`."""
        return _unchanged(self.files[index], self.contents[index] if self.contents else "")

    def key(self) -> str:
        """The set's identity, independent of its path."""
        return " ".join([self.sha256, *map(str, self.scenes)])


NO_SET = HeldOutSet((), (), (), "")


class ImageChanged(OSError):
    """An image is gone, or is not the one whose hash the set has."""


def _unchanged(file: Path, sha256: str) -> IO[bytes]:
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise ImageChanged(f"{file}: it is gone") from error
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise ImageChanged(f"{file}: another image is there")
    return io.BytesIO(content)


class _Written:
    """Images that are written when somebody needs them, each with its place in the set and its file."""

    def __init__(self, held_out: HeldOutSet, places: Sequence[tuple[int, Path]]) -> None:
        self._held_out, self._places, self._lock = held_out, places, threading.Lock()

    def once(self) -> None:
        """Write them, unless that was done; others wait for it meanwhile."""
        with self._lock:
            _write(self._held_out, self._places)
            self._places = ()


@dataclass(frozen=True, slots=True)
class StagedImages:
    """The images re-encoded for the sandbox: image i is the file `names[i]` in `folder`, which is never mounted."""

    folder: Path
    names: tuple[str, ...]
    sha256: str  # the set's hash; names differ from run to run, content does not
    _written: _Written | None = None  # None where the files are there

    def files(self, indices: Sequence[int] | None = None) -> list[Path]:
        """The images' files, or those at `indices`; all are written when the first is asked for.

        So a run that needs none re-encodes none. Raises `AssignmentError` as `stage` says.
        """
        if self._written is not None:
            self._written.once()
        return [self.folder / self.names[index] for index in (range(len(self.names)) if indices is None else indices)]

    def key(self) -> str:
        """The images' identity, independent of paths."""
        return self.sha256


NO_STAGED = StagedImages(Path(), (), "")


def load(folder: Path) -> HeldOutSet:
    """The held-out set in class folders. Raises `AssignmentError` when there are no images, or none of a class."""
    classes = class_folders(folder)
    files = tuple(file for names in classes.values() for file in names)
    truth = tuple(index for index, names in enumerate(classes.values()) for _ in names)
    if not files:
        raise AssignmentError(f"{folder}: no images in class folders", "correct held_out.path")
    if empty := [name for name, images in classes.items() if not images]:
        raise AssignmentError(
            f"{folder}: no images of {', '.join(empty)}: nothing can be measured of a class without images",
            "put images into these class folders, or remove the folders",
        )
    contents = tuple(map(file_sha256, files))
    digest = hashlib.sha256()
    for content, label in zip(contents, truth, strict=True):
        digest.update(f"{content} {list(classes)[label]}\n".encode())
    return HeldOutSet(tuple(classes), files, truth, digest.hexdigest(), contents=contents)


def load_unseen(folder: Path) -> HeldOutSet:
    """Images that show none of the classes, from anywhere below a folder; they have no labels."""
    files = images_in(folder)
    contents = tuple(map(file_sha256, files))
    return HeldOutSet((), files, (), hashlib.sha256("\n".join(contents).encode()).hexdigest(), contents=contents)


def stage(held_out: HeldOutSet, folder: Path) -> StagedImages:
    """Images for `folder`, which only its owner can list, as PNG, in a random order under random names.

    EXIF rotation is applied, then all metadata are dropped; the longest side is at most 1024 pixels. They are written
    when `StagedImages.files` is called first, which raises `AssignmentError` that names every image that does not
    decode, or that is not the one that was loaded: results are kept under the set's hash.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    names = tuple(f"{secrets.token_hex(8)}.png" for _ in held_out.files)
    places = [(index, folder / name) for index, name in enumerate(names)]
    secrets.SystemRandom().shuffle(places)
    return StagedImages(folder, names, held_out.sha256, _Written(held_out, places) if places else None)


def _write(held_out: HeldOutSet, places: Sequence[tuple[int, Path]]) -> None:
    unreadable, changed = [], []
    for index, target in places:
        try:
            image = upright_rgb(held_out.content(index), LONGEST_SIDE)
        except ImageChanged as error:
            changed.append(str(error))
            continue
        except UNDECODABLE as error:
            why = "it is no image" if isinstance(error, UnidentifiedImageError) else error
            unreadable.append(f"{held_out.files[index]}: does not decode: {why}")
            continue
        image.save(target, compress_level=1)
        os.utime(target, (0, 0))
        target.chmod(0o600)
    if changed:
        what = "\n".join(sorted(changed))
        raise AssignmentError(f"images changed while the run went on:\n{what}", "run the same command again")
    if unreadable:
        raise AssignmentError(
            "\n".join(sorted(unreadable)), "replace these held-out images, or take them out of the folder"
        )
