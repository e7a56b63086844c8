"""Files that appear whole under their final name, or not at all. They are their owner's only, whatever lay there."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from harness.errors import MachineError

OWNERS_ONLY = 0o600
READ_BY_ALL = 0o644  # what is mounted into a sandbox: its user is another


@contextlib.contextmanager
def whole_file(file: Path, mode: int = OWNERS_ONLY) -> Iterator[IO[bytes]]:
    """A stream for the content of `file`, which has its name only once all is written. Raises `OSError`.

    A file that is there stays as it is until then, and for good where the writing fails. `mode` counts, not the umask.
    """
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            os.fchmod(stream.fileno(), mode)
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
    """What goes wrong with the disk, as an instruction."""
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"{file}: cannot be written: {error.strerror}", "make room, or take another --out"
        ) from error
