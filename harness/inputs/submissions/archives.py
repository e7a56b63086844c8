"""Unpacking a stranger's archive, under limits, in a process of its own (`apart/submissions/`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.apart.submissions.budget import Spent, UnpackLimits
from harness.apart.submissions.noticed import OutOfRoom, Stopped
from harness.findings import finding
from harness.inputs.submissions.child import Children, Refused, Unpacked, no_room, path_text

__all__ = ["ARCHIVE_SUFFIXES", "FOREIGN_SUFFIXES", "Refused", "Spent", "UnpackLimits", "Unpacked", "refusing", "unpack"]

ARCHIVE_SUFFIXES = (".zip", ".tar.gz", ".tgz", ".tar", ".tar.xz", ".tar.bz2", ".7z")
FOREIGN_SUFFIXES = (".rar",)  # recognised, to say what to hand in instead


@contextmanager
def refusing() -> Iterator[None]:
    """Turns what stops a copy into `Refused` or `MachineError`."""
    try:
        yield
    except Stopped as stopped:
        raise Refused(finding(stopped.noticed.code, **stopped.noticed.particulars)) from stopped
    except OutOfRoom as trouble:
        raise no_room(str(trouble)) from trouble


def unpack(archive: Path, target: Path, limits: UnpackLimits, spent: Spent, packed_bytes: int) -> Unpacked:
    """Unpack the archive into the empty folder `target`, on top of what the submission has `spent` before.

    Judged by content, not by name; `packed_bytes` is the size of the whole submission as it was handed in. Raises
    `Refused` with a finding for anything that cannot be taken, `MachineError` when there is no room for it.
    """
    with Children() as alone:  # nobody else's files were read in this process
        return alone.unpack(
            "unpack", limits, spent, packed_bytes,
            archive=path_text(archive.absolute()), folder=path_text(target.absolute()),
        )  # fmt: skip
