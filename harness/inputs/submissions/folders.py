"""Copies an untrusted folder or file under limits; no link is followed, even if the folder changes meanwhile.

Each file is opened relative to its open folder, so replacing a folder by a link while it is read has no effect.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.apart.submissions.budget import Budget, as_text, write
from harness.apart.submissions.passed_over import Folder, environments
from harness.files.system import READ_PLAIN
from harness.findings import Finding, finding
from harness.inputs.submissions.archives import Spent, Unpacked, UnpackLimits, refusing

_FOLDER = READ_PLAIN | getattr(os, "O_DIRECTORY", 0)
_MOST_NAMED = 10  # of each kind


@dataclass(slots=True)
class _Noticed:
    """What was left out: the first names of each kind."""

    findings: list[Finding] = field(default_factory=list)

    def note(self, code: str, **particulars: str) -> None:
        if sum(one.code == code for one in self.findings) < _MOST_NAMED:
            self.findings.append(finding(code, **particulars))


def copy_folder(folder: Path, target: Path, limits: UnpackLimits, spent: Spent) -> Unpacked:
    """Copy the folder's content into the empty folder `target`; return what was left out.

    Hidden folders (.git, checkpoints) and litter are left out silently, environments with a finding.
    Raises `Refused` at a limit, `MachineError` when there is no room.
    """
    budget, noticed = Budget(limits, spent=spent), _Noticed()
    with refusing():
        for holder, name, shown in _entries(folder, budget, noticed):
            path = budget.local_path(shown)
            if path is None:
                continue
            budget.entry(path)
            if budget.twin(path):
                noticed.note("duplicate-name", name=str(path))
                continue
            _copy(name, holder, str(path), target / path, budget, noticed)
    left_out = (finding(one.code, **one.particulars) for one in budget.noticed())
    return Unpacked((*noticed.findings, *left_out), budget.used())


def copy_file(file: Path, target: Path, limits: UnpackLimits, spent: Spent) -> Unpacked:
    """Copy one plain file to `target`; anything else becomes a finding. Raises as `copy_folder`."""
    budget, noticed = Budget(limits, spent=spent), _Noticed()
    with refusing():
        budget.entry()
        budget.local_path(target.name)  # too long
        _copy(str(file), None, file.name, target, budget, noticed)
    return Unpacked(tuple(noticed.findings), budget.used())


def _entries(folder: Path, budget: Budget, noticed: _Noticed) -> Iterator[tuple[int, str, str]]:
    """(open folder, name in it, path from the top) of every entry but folders, sorted, without recursion."""
    waiting = [(os.open(folder, _FOLDER), "")]
    budget.environments = known = dict[Folder, str]()
    try:
        while waiting:
            holder, above = waiting.pop()
            try:
                names = sorted(_listed(holder, above, budget))
                known.update(environments(as_text(f"{above}{name}{_inside(name)}") for name in names))
                below = []
                for name in names:
                    path = f"{above}{name}"
                    if not _is_folder(name, holder):
                        yield holder, name, path
                    elif (taken := budget.local_path(path, is_folder=True)) is not None:  # not too deep or too long
                        budget.entry(taken)
                        below.append((name, path))
                for name, path in reversed(below):
                    try:
                        waiting.append((os.open(name, _FOLDER, dir_fd=holder), f"{path}/"))
                    except OSError as error:
                        noticed.note("file-unreadable", name=path, reason=error.strerror or "unreadable")
            finally:
                os.close(holder)
    finally:
        for holder, _ in waiting:
            os.close(holder)


def _listed(holder: int, above: str, budget: Budget) -> Iterator[str]:
    with os.scandir(holder) as entries:
        for entry in entries:
            budget.member(f"{above}{entry.name}")
            yield entry.name


def _inside(name: str) -> str:
    """What makes the path of a folder `conda-meta` that of a file in it, as the list of an archive has it."""
    return "/history" if name == "conda-meta" else ""


def _is_folder(name: str, holder: int) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=holder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _copy(name: str, holder: int | None, shown: str, target: Path, budget: Budget, noticed: _Noticed) -> None:
    try:
        mode = os.stat(name, dir_fd=holder, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):  # before opening it, since a device may react
            noticed.note("unsafe-member", name=shown, kind=_kind(mode))
            return
        with os.fdopen(os.open(name, READ_PLAIN, dir_fd=holder), "rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                noticed.note("unsafe-member", name=shown, kind=_kind(found.st_mode))
                return
            budget.expect(found.st_size)
            write(budget.counted(stream), target, found.st_mtime)
    except OSError as error:
        if not target.is_dir():  # for example if a folder became a file or was removed since listing
            target.unlink(missing_ok=True)
        noticed.note("file-unreadable", name=shown, reason=error.strerror or type(error).__name__)


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "link"
    return "FIFO" if stat.S_ISFIFO(mode) else "socket" if stat.S_ISSOCK(mode) else "device"
