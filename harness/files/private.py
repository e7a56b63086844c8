"""Files and folders that only their owner can read, because they hold submissions and marks."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from harness.files.system import is_ours

_GROUP_AND_OTHERS = 0o077


def keep_to_owner() -> None:
    """Make all files that this process creates from now on private, unless opened on purpose.

    A stricter umask of the caller is kept.
    """
    os.umask(os.umask(_GROUP_AND_OTHERS) | _GROUP_AND_OTHERS)


def private_folder(folder: Path) -> Path:
    """The folder: created if missing, and closed to others if it is ours. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _close(folder)
    return folder


def private_file(file: Path) -> Path:
    """The file: created empty if missing, and closed to others if it is ours. Raises `OSError`."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    _close(file)
    return file


def _close(path: Path) -> None:
    found = path.stat()
    if is_ours(found) and found.st_mode & _GROUP_AND_OTHERS:
        path.chmod(found.st_mode & 0o7777 & ~_GROUP_AND_OTHERS)
