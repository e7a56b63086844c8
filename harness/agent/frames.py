"""The stream of results: a first line, for each file a line `{"name": ..., "bytes": N}` and N bytes, and a last line.

Every line carries the run's nonce, so that student code which gets hold of the stream cannot add to it.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20
_READ_PLAIN = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def begin(stream: BinaryIO, nonce: str) -> None:
    """Write the first line. Call it before any student code runs."""
    _header(stream, {"begin": nonce})
    stream.flush()


def send(stream: BinaryIO, nonce: str, name: str, content: Path | bytes) -> None:
    """Send one file. `name` has ASCII letters, digits, `.`, `_` and `-` only, and is sent once.

    Exactly the announced number of bytes goes out, even if the file changes meanwhile. Raises `OSError` when it is
    not a plain file, and `EOFError` when it shrinks.
    """
    if isinstance(content, bytes):
        _header(stream, {"name": name, "bytes": len(content), "nonce": nonce})
        stream.write(content)
        return
    with os.fdopen(os.open(content, _READ_PLAIN), "rb") as source:
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
    """Write the last line; a stream without it counts as cut off."""
    _header(stream, {"end": nonce})
    stream.flush()


def _header(stream: BinaryIO, header: dict[str, object]) -> None:
    stream.write(json.dumps(header).encode("ascii") + b"\n")
