"""Unpacks an archive of any kind, recognised by its content."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .budget import Budget
from .noticed import Noticed, OutOfRoom, Stopped, plain_reason
from .seven_zip_file import SEVEN_ZIP, unpack_7z
from .tar_file import unpack_tar
from .zip_file import unpack_zip


def unpack(archive: Path, folder: Path, budget: Budget) -> list[Noticed]:
    """Unpack into the empty `folder`; return what was left out. The content decides the kind, not the name.

    Raises `Stopped` for an archive that is refused, `OutOfRoom` when the machine has no room.
    """
    with stopping_at_damage(archive.name):
        if not archive.is_file():  # opening a FIFO would wait for somebody to write to it
            raise ValueError("it is no plain file")
        if archive.stat().st_size > budget.limits.total_bytes:
            raise Stopped("archive-too-large", reason=f"it is over {budget.limits.total_bytes / 1e9:g} GB")
        with archive.open("rb") as stream:
            head = stream.read(len(SEVEN_ZIP))
        if head == SEVEN_ZIP:
            return unpack_7z(archive, folder, budget)
        if zipfile.is_zipfile(archive):
            return unpack_zip(archive, folder, budget)
        noticed = unpack_tar(archive, folder, budget)
        if noticed is not None:
            return noticed
    raise Stopped("archive-unreadable", name=archive.name, reason=_no_archive(head))


@contextmanager
def stopping_at_damage(name: str) -> Iterator[None]:
    """Turn every error of reading the archive `name` into `Stopped`, except `OutOfRoom`."""
    try:
        yield
    except (Stopped, OutOfRoom):
        raise
    except MemoryError:
        raise Stopped("archive-too-large", reason="reading it takes too much memory") from None
    except Exception as error:  # zipfile alone raises nine kinds for damaged and encrypted members
        raise Stopped("archive-unreadable", name=name, reason=plain_reason(error)) from error


def _no_archive(head: bytes) -> str:
    if not head:
        return "it is empty"
    if head.startswith(b"Rar!"):
        return "it is a .rar"
    return "it is cut off or damaged" if head.startswith(b"PK") else "it is no zip, tar or 7z archive"
