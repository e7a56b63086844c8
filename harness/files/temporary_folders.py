"""Temporary folders; the next run removes those of a killed harness.

Its owner locks a folder while it lives, so a folder that can be locked has no owner. That also holds for containers
that share a folder, and does not depend on clocks or process ids.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness.files.system import can_lock, is_ours, is_root, lock

_OPEN = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC"))


@contextlib.contextmanager
def own_temporary_folder() -> Iterator[None]:
    """Put all temporary files of this process into one private folder, which is removed afterwards.

    Files that are mounted into a sandbox may be readable by all, since the sandbox has another user: engines open them
    as root or as the owner, and no other user of the host can pass this folder.

    If the folder cannot be created, nothing changes: commands that need none work, and others report what is missing.
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
    """A new folder in `parent` for this process only. Folders with the prefix and a dead owner are removed first.

    Without locks, whether an owner lives is not known, and they stay.
    """
    if not can_lock():
        folder = Path(tempfile.mkdtemp(prefix=f"unlocked-{prefix}", dir=parent))  # which nobody takes for a leftover
        try:
            yield folder
        finally:
            _remove(folder)
        return
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
        except OSError:  # another user's, or not a folder
            continue
        try:
            if is_ours(os.fstat(handle)):
                lock(handle, wait=False)
                _remove(folder)
        except OSError:  # its owner lives
            continue
        finally:
            os.close(handle)


def _locked(prefix: str, parent: Path) -> tuple[Path, int]:
    """A new folder and the open lock on it. If another run removed it before the lock, it is created again."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            handle = os.open(folder, _OPEN)
        except FileNotFoundError:
            continue
        with contextlib.suppress(OSError):  # NFS has no locks on folders, so nobody can remove ours there
            lock(handle, wait=True)
        if folder.is_dir():
            return folder, handle
        os.close(handle)


def _remove(folder: Path) -> None:
    """Remove the folder with its content, also files that a submission made unreadable. Errors are ignored."""
    if not is_root():
        for place, inner, _ in os.walk(folder):
            for name in inner:
                path = Path(place, name)
                with contextlib.suppress(OSError):
                    if stat.S_ISDIR(path.lstat().st_mode):
                        path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
