"""Unpacking a .7z with py7zr, which writes only through our files, and counts as they do."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

from .budget import Budget, Sink
from .noticed import LeftOut, Noticed, Stopped, plain_reason

SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"  # how every .7z begins


def unpack_7z(archive: Path, folder: Path, budget: Budget) -> list[Noticed]:
    """What was left out. Raises `Stopped` or `OutOfRoom`."""
    import py7zr
    from py7zr.exceptions import ArchiveError

    left_out = LeftOut()
    try:
        with archive.open("rb") as stream, py7zr.SevenZipFile(stream) as opened:  # given a stream, it uses one thread
            chosen: dict[str, PurePosixPath] = {}
            expected = 0
            for info in opened.files:
                budget.entry()
                path = budget.path(info.filename)
                if path is None or info.is_directory:
                    continue
                if info.is_symlink or info.is_junction or info.is_socket:
                    left_out.note("unsafe-member", name=str(path), kind="link or device")
                elif budget.twin(path):
                    raise Stopped("archive-unreadable", name=archive.name, reason=f"{path} is in it twice")
                else:
                    chosen[info.filename] = path
                    expected += info.uncompressed
            if opened.needs_password():
                raise ValueError("encrypted")
            budget.expect(expected)
            opened.extract(targets=list(chosen), factory=_factory(chosen, folder, budget))
    except (ArchiveError, KeyError, TypeError, IndexError, AttributeError, AssertionError) as error:
        # py7zr raises all of these for a damaged header
        raise Stopped("archive-unreadable", name=archive.name, reason=plain_reason(error)) from error
    return left_out.noticed


def _factory(chosen: dict[str, PurePosixPath], folder: Path, budget: Budget) -> Any:
    """Where py7zr writes what it unpacks."""
    from py7zr.io import Py7zIO, WriterFactory

    class Writer(Py7zIO):
        def __init__(self, sink: Sink) -> None:
            self._sink, self._size = sink, 0

        def write(self, s: bytes | bytearray) -> int:
            self._size += len(s)
            return self._sink.write(s)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return offset

        def flush(self) -> None: ...

        def size(self) -> int:
            return self._size

        def close(self) -> None:
            self._sink.close()

    class Factory(WriterFactory):
        def create(self, filename: str) -> Any:
            relative = os.path.relpath(filename) if filename.startswith("/") else filename
            return Writer(budget.sink(folder / chosen[relative]))

    return Factory()
