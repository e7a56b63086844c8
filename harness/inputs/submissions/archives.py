"""Unpacks an untrusted archive, under limits, in a separate process (`apart/submissions/`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.apart.submissions.budget import Spent, UnpackLimits
from harness.apart.submissions.noticed import OutOfRoom, Stopped
from harness.findings import finding
from harness.inputs.submissions.child import Children, Refused, Unpacked, Unreadable, ask_alone, no_room, path_text

__all__ = [
    "ARCHIVE_SUFFIXES",
    "FOREIGN_SUFFIXES",
    "Content",
    "Refused",
    "Spent",
    "UnpackLimits",
    "Unpacked",
    "content",
    "refusing",
    "unpack",
]

ARCHIVE_SUFFIXES = (".zip", ".tar.gz", ".tgz", ".tar", ".tar.xz", ".tar.bz2", ".7z")
FOREIGN_SUFFIXES = (".rar",)  # recognised, to tell the student what to hand in instead


@contextmanager
def refusing() -> Iterator[None]:
    """Turn errors that stop a copy into `Refused` or `MachineError`."""
    try:
        yield
    except Stopped as stopped:
        raise Refused(finding(stopped.noticed.code, **stopped.noticed.particulars)) from stopped
    except OutOfRoom as trouble:
        raise no_room(str(trouble)) from trouble


def unpack(archive: Path, target: Path, limits: UnpackLimits, spent: Spent, packed_bytes: int) -> Unpacked:
    """Unpack the archive into the empty folder `target`, on top of what the submission has `spent` before.

    The content decides the kind, not the name. `packed_bytes` is the size of the whole submission as handed in. Raises
    `Refused` with a finding for an archive that cannot be accepted, `MachineError` when there is no room.
    """
    with Children() as alone:  # a process that has read nobody else's files
        return alone.unpack(
            "unpack", limits, spent, packed_bytes,
            archive=path_text(archive.absolute()), folder=path_text(target.absolute()),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Content:
    """What a file is that is called an archive, by what is in it."""

    is_archive: bool  # False for a model, an array file or a document, which stay as they are
    names: tuple[str, ...] = ()  # of a zip's files that may belong to a model, without folders


def content(file: Path) -> Content:
    """Look into the file; one that cannot be read is taken for an archive, and unpacking it says what is wrong."""
    try:
        said = ask_alone("content", path=path_text(file.absolute()))
    except (Unreadable, Refused):
        return Content(is_archive=True)
    names = said.get("names") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(names, list):
        return Content(is_archive=True)
    return Content(not said.get("kind"), tuple(name for name in names if isinstance(name, str)))
