"""Unpacking a tar, compressed or not, in one pass."""

from __future__ import annotations

import stat
import tarfile
from pathlib import Path

from .budget import Budget
from .noticed import LeftOut, Noticed


def unpack_tar(archive: Path, folder: Path, budget: Budget) -> list[Noticed]:
    """What was left out. Raises `Stopped`, `OutOfRoom`, and what `tarfile` raises for a damaged file."""
    left_out = LeftOut()
    with tarfile.open(archive, mode="r:*") as opened:
        for info in opened:
            budget.entry()
            path = budget.path(info.name)
            if path is None or info.isdir():
                continue
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
                before = budget.written
                with stream:
                    budget.write(stream, folder / path)
                if budget.written - before != info.size:
                    raise tarfile.ReadError("it is cut off")
    return left_out.noticed


def _tar_kind(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "link"
    return "FIFO" if info.isfifo() else "sparse file" if info.issparse() else "device"
