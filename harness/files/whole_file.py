"""Files that appear whole under their final name, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from harness.errors import MachineError


def write_whole(file: Path, content: str) -> None:
    """Write UTF-8 text to a temporary name beside `file`, and rename. Raises `MachineError`."""
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(content)
            Path(temporary).replace(file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise MachineError(
            f"{file}: cannot be written: {error.strerror}", "make room, or take another --out"
        ) from error
