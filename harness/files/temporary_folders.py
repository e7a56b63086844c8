"""Temporary folders that a killed harness does not leave behind: the next run removes them.

A folder is locked for as long as its owner lives, so a folder that can be locked has no owner. That holds
across containers that share a folder, and whatever the clock does or numbers of processes come to.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def own_temporary_folder() -> Iterator[None]:
    """Have everything temporary of this process in one folder, which only its owner can enter and is gone afterwards.

    What is mounted into a sandbox may be readable by all, since the sandbox's own user is another: engines open it as
    root, or as the owner, and no other user of the host comes past this folder.

    Where none can be made, nothing is changed: a command that needs none works, and another says what it lacks.
    """
    before = tempfile.tempdir
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            tempfile.tempdir = str(stack.enter_context(own_folder("harness-run-", Path(tempfile.gettempdir()))))
        try:
            yield
        finally:
            tempfile.tempdir = before


@contextlib.contextmanager
def own_folder(prefix: str, parent: Path) -> Iterator[Path]:
    """A new folder in `parent` that only we use; those of dead owners, of the same prefix, are removed first."""
    remove_leftovers(prefix, parent)
    folder, handle = _locked(prefix, parent)
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(handle)


def remove_leftovers(prefix: str, parent: Path) -> None:
    """Remove the folders of this user in `parent` whose owner is gone."""
    for folder in sorted(parent.glob(f"{prefix}*")):
        try:
            handle = os.open(folder, _OPEN)
        except OSError:  # another user's, or no folder
            continue
        try:
            if os.fstat(handle).st_uid == os.geteuid():
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder)
        except OSError:  # its owner lives
            continue
        finally:
            os.close(handle)


def _locked(prefix: str, parent: Path) -> tuple[Path, int]:
    """A new folder and the open lock on it. One that a sweep took before we had the lock is made again."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            handle = os.open(folder, _OPEN)
        except FileNotFoundError:
            continue
        with contextlib.suppress(OSError):  # NFS knows no lock on a folder: nobody can take ours for left behind there
            fcntl.flock(handle, fcntl.LOCK_EX)
        if folder.is_dir():
            return folder, handle
        os.close(handle)


def _remove(folder: Path) -> None:
    """Remove it with all that is in it, also what a submission made unreadable. What cannot go stays."""
    if os.geteuid() != 0:
        for place, inner, _ in os.walk(folder):
            for name in inner:
                path = Path(place, name)
                with contextlib.suppress(OSError):
                    if stat.S_ISDIR(path.lstat().st_mode):
                        path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
