"""Unpacks a .7z with py7zr, which writes only through our counting files.

The working directory is the folder that it unpacks to, because py7zr makes paths from that.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

from .budget import Budget, Sink, set_changed
from .noticed import LeftOut, Noticed, Stopped

SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"  # the first bytes of every .7z


def unpack_7z(archive: Path, folder: Path, budget: Budget) -> list[Noticed]:
    """Unpack; return what was left out. Raises `Stopped`, `OutOfRoom`, and what `py7zr` raises for a damaged file."""
    import py7zr

    left_out = LeftOut()
    with archive.open("rb") as stream, py7zr.SevenZipFile(stream) as opened:  # given a stream, it uses one thread
        chosen: dict[str, PurePosixPath] = {}
        expected = skipped = 0
        budget.listed(info.filename for info in opened.files)
        for info in opened.files:
            path = budget.path(info.filename, is_folder=info.is_directory)
            budget.member(info.filename, 0 if path else info.uncompressed or 0)
            if path is None:  # in a solid block it is inflated anyway, to reach the next one
                skipped += info.uncompressed or 0
                continue
            budget.entry(path, info.uncompressed or 0)
            if info.is_directory:
                continue
            if info.is_symlink or info.is_junction or info.is_socket:
                skipped += info.uncompressed or 0
                left_out.note("unsafe-member", name=str(path), kind="link or device")
            elif budget.twin(path):
                raise Stopped("archive-unreadable", name=archive.name, reason=f"{path} is in it twice")
            else:
                chosen[info.filename] = path
                expected += info.uncompressed or 0
        if opened.needs_password():
            raise ValueError("encrypted")
        budget.count(skipped)
        budget.expect(expected)
        opened.extract(targets=list(chosen), factory=_factory(chosen, folder, budget))
        for info in opened.files:
            if info.filename in chosen and info.lastwritetime is not None:
                set_changed(folder / chosen[info.filename], info.lastwritetime.totimestamp())
    return [*left_out.noticed, *budget.noticed()]


def _factory(chosen: dict[str, PurePosixPath], folder: Path, budget: Budget) -> Any:
    """The factory of files that py7zr writes to."""
    from py7zr.io import Py7zIO, WriterFactory

    class Writer(Py7zIO):
        def __init__(self, sink: Sink) -> None:
            self._sink, self._size = sink, 0

        def write(self, s: bytes | bytearray) -> int:
            budget.count(len(s))
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
            return Writer(Sink(folder / chosen[relative]))

    return Factory()
