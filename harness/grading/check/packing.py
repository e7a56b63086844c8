"""Packs a student's working folder as a hand-in: one zip with a manifest, which `harness intake` takes as it is."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from harness.boundary.bounded_json import MOST_BYTES
from harness.errors import UsageError
from harness.files.hashing import file_sha256
from harness.inputs.images.folders import is_litter
from harness.inputs.student_package import ASSIGNMENT, IMAGES, SCORES
from harness.inputs.submissions.archives import ARCHIVE_SUFFIXES, UnpackLimits
from harness.inputs.submissions.manifest import MANIFEST, MOST_CHARACTERS, manifest_of, name_of

HANDIN = "handin.zip"
_NOT_HANDED_IN = {ASSIGNMENT, SCORES, IMAGES, HANDIN, MANIFEST}  # at the folder's top
_TOOLS = {"node_modules", "site-packages"}  # in any folder
_ENVIRONMENT = ("pyvenv.cfg", "conda-meta")  # what a folder with a Python environment holds
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest of a zip: the same files make the same zip


@dataclass(frozen=True, slots=True)
class Packed:
    """The files of a hand-in by their names in the zip; and links and pipes, which are left out."""

    files: dict[str, Path]
    links: tuple[str, ...]


def chosen(folder: Path, course_images: Iterable[PurePath] = ()) -> Packed:
    """What is handed in of the folder: all of it but the course's own files and what tools put there.

    `course_images`: folders of training images, relative to `folder`. Raises `UsageError` for an empty folder, and
    for one that no intake takes.
    """
    limits = UnpackLimits()
    leave = {path.as_posix() for path in course_images}
    files: dict[str, Path] = {}
    links: list[str] = []
    total = 0
    for path in _walk(folder, leave):
        name = name_of(path.relative_to(folder))
        if len(name) > MOST_CHARACTERS:
            raise UsageError(f"{name[:60]}...: its path is too long to be handed in", "give it a shorter name")
        if path.is_symlink() or not path.is_file():  # a pipe would be waited for
            links.append(name)
            continue
        files[name] = path
        total += path.stat().st_size
        if len(files) > limits.files or total > limits.total_bytes:
            raise UsageError(
                f"{folder}: holds more than a hand-in may: {limits.files:,} files, {limits.total_bytes / 1e9:.0f} GB",
                "give the folder with your notebook and model only",
            )
    if not files:
        raise UsageError(f"{folder}: there is nothing in it to hand in", "give the folder with your notebook or model")
    return Packed(files, tuple(links))


def write_zip(packed: Packed, target: Path, harness: str) -> None:
    """Write the zip, its manifest first. `harness`: the version that packs."""
    hashes = {name: file_sha256(file) for name, file in sorted(packed.files.items())}
    manifest = manifest_of(hashes, ARCHIVE_SUFFIXES, harness, MOST_BYTES)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
        if manifest is not None:  # thousands of files at the top: intake reads no more, and takes the zip without it
            zipped.writestr(zipfile.ZipInfo(MANIFEST, _EPOCH), manifest.as_bytes())
        for name in hashes:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            with packed.files[name].open("rb") as source, zipped.open(info, "w", force_zip64=True) as out:
                while piece := source.read(1 << 20):
                    out.write(piece)


def _walk(folder: Path, leave: set[str]) -> Iterator[Path]:
    """The files and links below the folder, without those that are not handed in."""
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        at_top = here == folder

        def is_wanted(name: str, here: Path = here, at_top: bool = at_top) -> bool:
            if is_litter(name) or name in _TOOLS or (at_top and name in _NOT_HANDED_IN):
                return False
            return (here / name).relative_to(folder).as_posix() not in leave

        wanted = [name for name in sorted(folders) if is_wanted(name)]
        folders[:] = [name for name in wanted if not (here / name).is_symlink() and not _is_environment(here / name)]
        yield from (here / name for name in wanted if (here / name).is_symlink())
        yield from (here / name for name in sorted(names) if is_wanted(name))


def _is_environment(folder: Path) -> bool:
    return any((folder / name).exists() for name in _ENVIRONMENT)
