"""Looks through a finished package for what must not be given away: held-out images, labels, seeds, solutions.

Everything in a package is written by the harness from what is public, so a leak comes in with that: a held-out image
that lies among the public ones too, a solution's cell in the starting notebook. All files are looked at.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.files.hashing import file_sha256
from harness.grading.validation.leaks import accepted_names, name_of
from harness.inputs.assignment import Assignment
from harness.inputs.images.decoding import UNDECODABLE, upright_rgb
from harness.inputs.images.folders import class_folders, images_in, is_image
from harness.stages.audit.hashing import ORIENTATIONS, Hashes, distances, hashes, oriented
from harness.stages.audit.images import GREY
from harness.stages.audit.matching import detail, has_detail, match

_BITS = 10  # of 64 that differ in hashes of images that are compared
_SAME_LEVELS = 2.0  # grey levels: mean difference of two images without detail that count as one
_LINES = 4  # different lines of a solution in one file that count as a copy of it
_TELLING = 24  # characters, at least, of a line or a file's name that is looked for
_ATTACHED = re.compile(rb"[A-Za-z0-9+/=\\n]{200,}")
_ANNOTATIONS = (".xml", ".json", ".csv")  # a YOLO's text of a few numbers may be another image's, too
_SOLUTIONS = (".ipynb", ".py")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image for comparing: where it is, a hash of its pixels, and its small grey version."""

    where: str
    pixels: str
    grey: NDArray[np.uint8]  # (128, 128)


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that no file may hold, and what it is."""

    text: str
    what: str


def leaks(folder: Path, assignment: Assignment) -> list[str]:
    """What the package in `folder` gives away, a sentence for each; nothing where it is as it should be."""
    files = {str(file.relative_to(folder)): file for file in sorted(folder.rglob("*")) if file.is_file()}
    held_out = _held_out(assignment)
    texts = {name: file.read_bytes() for name, file in files.items() if not is_image(name)}
    found = [*_copies(_pictures(files, texts), held_out)]
    known_hashes = {file_sha256(file): f"the held-out image {file}" for file in held_out}
    known_hashes |= {file_sha256(file): f"the held-out annotation {file}" for file in _annotations(assignment)}
    for name, file in files.items():
        if (same := known_hashes.get(file_sha256(file))) is not None:
            found.append(f"{name} is {same}")
    secrets = list(_secrets(assignment, held_out))
    for name, content in texts.items():
        text = content.decode("utf-8", errors="replace")
        found += [f"{name} holds {secret.what}" for secret in secrets if secret.text in text]
        found += _solutions(name, text, assignment)
    return list(dict.fromkeys(found))


def _held_out(assignment: Assignment) -> list[Path]:
    """The held-out images, but those that are known to repeat training images, and those that show no class."""
    found: list[Path] = []
    if (folder := assignment.held_out.path) is not None:
        accepted = accepted_names(assignment.held_out.accept_repeated)
        in_classes = (file for files in class_folders(folder).values() for file in files)
        every = images_in(folder) if assignment.task == "detection" else in_classes
        found += [file for file in every if name_of(file, folder) not in accepted]
    if assignment.unseen is not None:
        found += images_in(assignment.unseen.path)
    return found


def _annotations(assignment: Assignment) -> list[Path]:
    """The files that hold the boxes of held-out images."""
    folder = assignment.held_out.path
    if assignment.task != "detection" or folder is None:
        return []
    return [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in _ANNOTATIONS and file.is_file()]


def _secrets(assignment: Assignment, held_out: Sequence[Path]) -> Iterator[Secret]:
    """Texts that would tell of the held-out set: paths, hashes, names, a seed."""
    for path, what in (
        (assignment.held_out.path, "the path of the held-out images"),
        (assignment.unseen.path if assignment.unseen else None, "the path of the images of no class"),
        (assignment.reference.code, "the path of the reference's code"),
    ):
        if path is not None:
            yield Secret(str(path), what)
    for file in held_out:
        yield Secret(file_sha256(file), f"the hash of the held-out image {file.name}")
        if len(file.name) >= _TELLING:
            yield Secret(file.name, f"the name of the held-out image {file.name}")
    if not assignment.own_dataset.can_be_guessed:  # a smaller number stands anywhere
        yield Secret(str(assignment.own_dataset.seed), "the seed by which images are withheld")


def _solutions(name: str, text: str, assignment: Assignment) -> Iterator[str]:
    """Sentences about lines of the reference's code, and of the other code and notebooks beside the assignment."""
    own = assignment.public.notebook
    beside = {file for file in assignment.file.parent.glob("*") if file.suffix in _SOLUTIONS and file != own}
    lines = set(_lines(_code_of(name, text)))
    if assignment.reference.code is not None:
        beside.add(assignment.reference.code)
    for file in sorted(beside):
        shared = lines & set(_lines(_code_of(file.name, file.read_text(encoding="utf-8", errors="replace"))))
        if len(shared) >= _LINES:  # a notebook to start from and its solution may begin alike
            yield f"{name} has {len(shared)} lines of {file.name}, for example {min(shared)!r}"


def _code_of(name: str, text: str) -> str:
    """A notebook's code; any other text as it is."""
    if not name.endswith(".ipynb"):
        return text
    try:
        cells = json.loads(text)["cells"]
        return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (ValueError, KeyError, TypeError):
        return text


def _lines(code: str) -> Iterator[str]:
    """The lines that tell one program from another."""
    for line in code.splitlines():
        line = line.strip()
        if len(line) >= _TELLING and not line.startswith(("import ", "from ", "#", '"')):
            yield line


def _pictures(files: Mapping[str, Path], texts: Mapping[str, bytes]) -> Iterator[Picture]:
    """The images of a package: its files, and those inside of texts, such as a notebook's attachments."""
    for name, file in files.items():
        if is_image(name):
            yield _picture(name, file)
    for name, content in texts.items():
        for number, piece in enumerate(_ATTACHED.findall(content), 1):
            try:
                decoded = base64.b64decode(piece.replace(b"\\n", b""), validate=True)
                yield _picture(f"{name} (image {number} in it)", io.BytesIO(decoded))
            except (binascii.Error, *UNDECODABLE):
                continue  # long, and no image


def _picture(where: str, file: Path | io.BytesIO) -> Picture:
    image = upright_rgb(file)
    pixels = hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()
    return Picture(where, pixels, np.asarray(image.convert("L").resize((GREY, GREY), Image.Resampling.BOX)))


def _copies(public: Iterator[Picture], held_out: Sequence[Path]) -> Iterator[str]:
    """Sentences about public images that are held-out ones, be they re-encoded, resized, turned or mirrored."""
    secret = [_picture(str(file), file) for file in held_out]
    if not secret:
        return
    known = hashes(np.stack([one.grey for one in secret]))
    for one in public:
        for index in _near(one, known):
            if one.pixels == secret[index].pixels or _is_copy(one.grey, secret[index].grey):
                yield f"{one.where} is the held-out image {secret[index].where}"


def _near(one: Picture, known: Hashes) -> list[int]:
    turned = np.stack([oriented(one.grey, orientation) for orientation in range(ORIENTATIONS)])
    near = distances(hashes(turned), known).min(axis=0) <= _BITS
    return [int(index) for index in np.flatnonzero(near)]


def _is_copy(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    fine = detail(one)
    if has_detail(fine):
        return match(fine, detail(other)).copy
    return bool(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean() <= _SAME_LEVELS)
