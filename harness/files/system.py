"""What differs between systems: locks, users, cores, and flags of files. The only such module outside of engines.

Windows and macOS have neither all of these calls nor these modules; students' machines are such.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import IO

fcntl: ModuleType | None = None
with suppress(ImportError):
    import fcntl

# To read a file that may be anybody's: no link, no waiting for a pipe's other end, bytes as they are.
READ_PLAIN = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT")
)


def can_lock() -> bool:
    """Whether a lock keeps others out."""
    return fcntl is not None


def lock(handle: int | IO[str], *, wait: bool) -> None:
    """Lock the open file or folder until it is closed; without effect where `can_lock` is false.

    Raises `BlockingIOError` when another holds it and `wait` is false, and `OSError`.
    """
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_ours(found: os.stat_result) -> bool:
    """Whether this user owns the file; true where files have no such owner."""
    return not hasattr(os, "geteuid") or found.st_uid == os.geteuid()


def is_root() -> bool:
    """Whether permissions do not bind this user."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def usable_cores() -> tuple[int, ...]:
    """The cores that this process may use, in order."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def change_mode(handle: int, file: Path, mode: int) -> None:
    """Set an open file's permissions. Raises `OSError`."""
    if hasattr(os, "fchmod"):
        os.fchmod(handle, mode)
    else:
        file.chmod(mode)
