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
from .passed_over import tells_environment

_PACKERS: tuple[tuple[bytes, Any], ...] = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))


def unpack_tar(archive: Path, folder: Path, budget: Budget) -> list[Noticed] | None:
    """Unpack; return what was left out, or None for a file that is not a tar.

    Raises `Stopped`, `OutOfRoom`, and what `tarfile` and the decompressors raise.
    """
    left_out = LeftOut()
    names = _names(archive, budget)
    if names is None:
        return None
    budget.listed(names)
    with _inflated(archive) as stream, _streamed(stream, budget) as opened:
        for info in opened:
            _take(opened, info, folder, budget, left_out)
    return [*left_out.noticed, *budget.noticed()]


def _names(archive: Path, budget: Budget) -> list[str] | None:
    """The names of all members that tell an environment; None for a file that is not a tar.

    A tar has no list of its members, so it is read twice; the first reading has the same limits as the second.
    """
    first = Budget(budget.limits, budget.packed_bytes, budget.used())
    with _inflated(archive) as stream:
        try:
            opened = _streamed(stream, first)
        except tarfile.ReadError:
            return None
        names = []
        with opened:
            for info in opened:
                first.member(info.name, info.size)
                if tells_environment(info.name):
                    names.append(info.name)
    return names


def _streamed(stream: IO[bytes], budget: Budget) -> tarfile.TarFile:
    """The tar, read once. Raises `ReadError`."""
    counted = cast("IO[bytes]", budget.counted(cast("Readable", stream)))
    # A stream is never rewound, and skipped members are read, so every inflated byte is counted.
    return tarfile.open(fileobj=counted, mode="r|", bufsize=CHUNK)


def _inflated(archive: Path) -> IO[bytes]:
    with archive.open("rb") as stream:
        head = stream.read(8)
    unpacker = next((unpacker for magic, unpacker in _PACKERS if head.startswith(magic)), open)
    return cast("IO[bytes]", unpacker(archive, "rb"))


def _take(opened: tarfile.TarFile, info: tarfile.TarInfo, folder: Path, budget: Budget, left_out: LeftOut) -> None:
    path = budget.path(info.name, is_folder=info.isdir())
    budget.member(info.name, 0 if path else info.size)
    if path is None:
        return
    budget.entry(path, info.size)
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
            if write(stream, folder / path, info.mtime) != info.size:
                raise tarfile.ReadError("it is cut off")


def _tar_kind(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "link"
    return "FIFO" if info.isfifo() else "sparse file" if info.issparse() else "device"
