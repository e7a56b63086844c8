"""Files that appear whole under their final name, or not at all. They are their owner's only, whatever lay there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from harness.errors import MachineError


def write_whole(file: Path, content: str) -> None:
    """Write UTF-8 text to a temporary name beside `file`, and rename. Raises `MachineError`."""
    with _replaced(file) as stream:
        stream.write(content.encode("utf-8"))


def copy_whole(source: Path, file: Path) -> None:
    """Copy the bytes of `source` in the same way. Raises `MachineError`."""
    with _replaced(file) as stream, source.open("rb") as copied:
        shutil.copyfileobj(copied, stream)


@contextmanager
def _replaced(file: Path) -> Iterator[BinaryIO]:
    """What is written becomes the file when nothing is raised."""
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
            Path(temporary).replace(file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise MachineError(
            f"{file}: cannot be written: {error.strerror}", "make room, or take another --out"
        ) from error
