"""Writes files that appear whole under their final name or not at all, and that only their owner can read."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from harness.errors import MachineError
from harness.files.system import change_mode

OWNERS_ONLY = 0o600
READ_BY_ALL = 0o644  # for files mounted into a sandbox, which has another user


@contextlib.contextmanager
def whole_file(file: Path, mode: int = OWNERS_ONLY) -> Iterator[IO[bytes]]:
    """A stream for the content of `file`, which gets its name when all is written. Raises `OSError`.

    An existing file is kept until then, and if writing fails. `mode` counts, not the umask.
    """
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            change_mode(stream.fileno(), Path(temporary), mode)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_whole(file: Path, content: str) -> None:
    """Write UTF-8 text. Raises `MachineError`."""
    with _told(file), whole_file(file) as stream:
        stream.write(content.encode())


def copy_whole(source: Path, file: Path) -> None:
    """Copy the bytes of `source` in the same way. Raises `MachineError`."""
    with _told(file), whole_file(file) as stream, source.open("rb") as copied:
        shutil.copyfileobj(copied, stream)


@contextlib.contextmanager
def _told(file: Path) -> Iterator[None]:
    """Turn the disk's errors into a `MachineError` that says what to do."""
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"{file}: cannot be written: {error.strerror}", "make room, or take another --out"
        ) from error
