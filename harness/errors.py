"""Every error that a user can cause, with what to do about it.

    HarnessError            exit_status, what happened, what to do
    ├── UsageError          2: wrong arguments, or files that are not what they should be
    │   └── AssignmentError 2: a broken assignment.toml
    ├── MachineError        3: this machine cannot do it
    │   ├── NoSandbox       3: no engine works here
    │   └── EnvironmentMissing 3: the software that a submission needs is not built here: `needs-review`
    ├── EngineFailed        the sandbox engine broke in mid-run: retried, then `needs-review`
    └── RunStopped          130: the user ended the run; nothing of the job under way is kept

A student's mistake is never one of these: it is a `Finding` in the evidence.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Trouble of the machine that no submission's content can cause: no room, a failing disk, no memory, too many open
# files.
MACHINES_OWN = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE)
)

# What a path has that leads to no place where a file can be.
_NO_PLACE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG))


class HarnessError(Exception):
    """What happened and where (`message`), and what to do about it (`do`)."""

    exit_status = 2

    def __init__(self, message: str, do: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.do = do

    def __str__(self) -> str:
        return f"{self.message}\n  do: {self.do}" if self.do else self.message


class UsageError(HarnessError):
    """Wrong arguments, or files that are not what they should be."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a file, and where: `assignment.toml:14  held_out.path`."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class AssignmentError(UsageError):
    """A broken assignment.toml, or files of it. `problems`: all that is wrong, where it is known one by one."""

    def __init__(self, message: str | Sequence[Problem], do: str = "") -> None:
        """`message`: a text, or the problems, of which the message then has one line for each."""
        self.problems = () if isinstance(message, str) else tuple(message)
        super().__init__(message if isinstance(message, str) else "\n".join(map(str, message)), do)


class MachineError(HarnessError):
    """This machine cannot do it: no disk, no permission, a missing program."""

    exit_status = 3


class NoSandbox(MachineError):
    """No sandbox engine works here."""


def nearest(name: str, known: Collection[str], otherwise: str = "") -> str:
    """A hint for an unknown name: `did you mean 'limits'?`, else `otherwise`, else all known names."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise or f"one of: {', '.join(known)}"


@contextlib.contextmanager
def cannot_write(file: Path) -> Iterator[None]:
    """A context for writing `file` in a user's folder. Raises `MachineError` if it cannot be written.

    Raises `UsageError` if the path itself is the trouble: it leads through a file, or is a folder.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_PLACE and _is_on_the_way_to(error.filename, file):
            raise UsageError(f"{file}: cannot be written: {error.strerror}", "name another place") from error
        if error.errno not in MACHINES_OWN | {errno.EACCES, errno.EPERM}:
            raise
        what = f"{file}: cannot be written: {error.strerror}"
        raise MachineError(what, "make room, or take another --out") from error


def _is_on_the_way_to(path: object, file: Path) -> bool:
    """Whether the path that an `OSError` names is the file, something below or beside it, or above it."""
    if not isinstance(path, str):
        return False
    found, place = Path(path).absolute(), file.absolute()
    return place in found.parents or bool({found, found.parent} & {place, *place.parents})


class EnvironmentMissing(MachineError):
    """The software that a submission needs is not built here; `do` is the command that builds it."""


class EngineFailed(HarnessError):
    """The sandbox engine broke, which is not the student's fault."""

    exit_status = 3


class RunStopped(HarnessError):
    """The run is being stopped (`Sandbox.stop`); what the job did so far says nothing about the submission."""

    exit_status = 130
