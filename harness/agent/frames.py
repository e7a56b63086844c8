"""Results over a stream: for each file a line of JSON, `{"name": ..., "bytes": N}`, and N bytes; then an end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20


def send(stream: BinaryIO, name: str, content: Path | bytes) -> None:
    """Send one file. `name` is of ASCII letters, digits, `.`, `_` and `-`; each name once."""
    if isinstance(content, bytes):
        _header(stream, {"name": name, "bytes": len(content)})
        stream.write(content)
        return
    with content.open("rb") as source:
        size = source.seek(0, 2)
        source.seek(0)
        _header(stream, {"name": name, "bytes": size})
        shutil.copyfileobj(source, stream, _CHUNK)


def end(stream: BinaryIO) -> None:
    """Say that everything was sent; a stream without it counts as cut off."""
    _header(stream, {"end": True})
    stream.flush()


def _header(stream: BinaryIO, header: dict[str, object]) -> None:
    stream.write(json.dumps(header).encode("ascii") + b"\n")
