"""Unpacking a stranger's archive, under limits, in a process of its own (`unpacking/`)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from harness.errors import MachineError
from harness.findings import Finding, finding
from harness.intake import unpacking
from harness.intake.unpacking.budget import Budget, UnpackLimits
from harness.intake.unpacking.noticed import OutOfRoom, Stopped

__all__ = ["ARCHIVE_SUFFIXES", "FOREIGN_SUFFIXES", "Budget", "Refused", "UnpackLimits", "refusing", "unpack"]

ARCHIVE_SUFFIXES = (".zip", ".tar.gz", ".tgz", ".tar", ".tar.xz", ".tar.bz2", ".7z")
FOREIGN_SUFFIXES = (".rar",)  # recognised, to say what to hand in instead

_PROGRAM = Path(unpacking.__file__).with_name("__main__.py")
_SECONDS = 600  # for one archive; 4 GB of bzip2 take two minutes


class Refused(Exception):
    """The archive, or folder, is not taken. Carries the finding that says why."""

    def __init__(self, why: Finding) -> None:
        super().__init__(why.message)
        self.finding = why


@contextmanager
def refusing() -> Iterator[None]:
    """Turns what stops an unpacking, or a copy, into `Refused` or `MachineError`."""
    try:
        yield
    except Stopped as stopped:
        raise Refused(finding(stopped.noticed.code, **stopped.noticed.particulars)) from stopped
    except OutOfRoom as trouble:
        raise _no_room(str(trouble)) from trouble


def unpack(archive: Path, target: Path, limits: UnpackLimits) -> list[Finding]:
    """Unpack the archive into the empty folder `target`; findings for what was left out.

    Judged by content, not by name. Raises `Refused` with a finding for anything that cannot be taken,
    `MachineError` when there is no room for it.
    """
    command = [sys.executable, "-I", "-B", "-X", "utf8", str(_PROGRAM)]
    arguments = [str(archive.resolve()), str(target), json.dumps(asdict(limits))]
    try:
        ended = subprocess.run(
            [*command, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False,
            cwd=target,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        reason = f"unpacking it takes over {_SECONDS} s"
        raise Refused(finding("archive-too-large", reason=reason)) from None
    try:
        said = json.loads(ended.stdout)
    except ValueError:  # the process died of it: a decoder crashed
        reason = "unpacking it broke the program that unpacks"
        raise Refused(finding("archive-unreadable", name=archive.name, reason=reason)) from None
    if "machine" in said:
        raise _no_room(said["machine"])
    if "stopped" in said:
        code, particulars = said["stopped"]
        raise Refused(finding(code, **particulars))
    return [finding(code, **particulars) for code, particulars in said["noticed"]]


def _no_room(why: str) -> MachineError:
    return MachineError(
        f"the hand-ins cannot be unpacked: {why}", "make room on the disk of the temporary folder, or set TMPDIR"
    )
