"""Unpacks a tar, compressed or not, in one pass; every inflated byte counts, kept or skipped."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
from pathlib import Path
from typing import IO, Any, cast

from .budget import CHUNK, Budget, Readable, write
from .noticed import LeftOut, Noticed

_PACKERS: tuple[tuple[bytes, Any], ...] = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))


def unpack_tar(archive: Path, folder: Path, budget: Budget) -> list[Noticed] | None:
    """Unpack; return what was left out, or None for a file that is not a tar.

    Raises `Stopped`, `OutOfRoom`, and what `tarfile` and the decompressors raise.
    """
    left_out = LeftOut()
    with _inflated(archive) as stream:
        counted = cast("IO[bytes]", budget.counted(cast("Readable", stream)))
        try:
            # A stream is never rewound, and skipped members are read, so every inflated byte is counted.
            opened = tarfile.open(fileobj=counted, mode="r|", bufsize=CHUNK)  # noqa: SIM115 - below
        except tarfile.ReadError:
            return None
        with opened:
            for info in opened:
                _take(opened, info, folder, budget, left_out)
    return left_out.noticed


def _inflated(archive: Path) -> IO[bytes]:
    with archive.open("rb") as stream:
        head = stream.read(8)
    unpacker = next((unpacker for magic, unpacker in _PACKERS if head.startswith(magic)), open)
    return cast("IO[bytes]", unpacker(archive, "rb"))


def _take(opened: tarfile.TarFile, info: tarfile.TarInfo, folder: Path, budget: Budget, left_out: LeftOut) -> None:
    budget.member()
    path = budget.path(info.name)
    if path is None:
        return
    budget.entry()
    if info.isdir():
        return
    if not info.isreg() or info.issparse():
        left_out.note("unsafe-member", name=str(path), kind=_tar_kind(info))
    elif info.mode & (stat.S_ISUID | stat.S_ISGID):
        left_out.note("unsafe-member", name=str(path), kind="set-id file")
    elif budget.twin(path):
        left_out.note("duplicate-name", name=str(path))
    else:
        budget.expect(info.size)
        stream = opened.extractfile(info)
        assert stream is not None
        with stream:
            if write(stream, folder / path) != info.size:
                raise tarfile.ReadError("it is cut off")


def _tar_kind(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "link"
    return "FIFO" if info.isfifo() else "sparse file" if info.issparse() else "device"
