"""Results over a stream: a beginning, an end, and for each file a line, `{"name": ..., "bytes": N}`, and N bytes.

Every line carries the run's nonce, so that nobody who gets hold of the stream can add to it.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20


def begin(stream: BinaryIO, nonce: str) -> None:
    """Say that the agent runs, before anything of a student's does."""
    _header(stream, {"begin": nonce})
    stream.flush()


def send(stream: BinaryIO, nonce: str, name: str, content: Path | bytes) -> None:
    """Send one file. `name` is of ASCII letters, digits, `.`, `_` and `-`; each name once.

    Exactly the bytes that were announced go out, whatever happens to the file meanwhile. Raises `OSError` for what
    is no plain file, and `EOFError` for one that shrinks.
    """
    if isinstance(content, bytes):
        _header(stream, {"name": name, "bytes": len(content), "nonce": nonce})
        stream.write(content)
        return
    with os.fdopen(os.open(content, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as source:
        status = os.fstat(source.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{name} is no plain file")
        left = status.st_size
        _header(stream, {"name": name, "bytes": left, "nonce": nonce})
        while left:
            piece = source.read(min(left, _CHUNK))
            if not piece:
                raise EOFError(f"{name} became shorter while it was sent")
            stream.write(piece)
            left -= len(piece)


def end(stream: BinaryIO, nonce: str) -> None:
    """Say that everything was sent; a stream without it counts as cut off."""
    _header(stream, {"end": nonce})
    stream.flush()


def _header(stream: BinaryIO, header: dict[str, object]) -> None:
    stream.write(json.dumps(header).encode("ascii") + b"\n")
