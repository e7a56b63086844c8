"""Unpacks an archive of any kind, recognised by its content."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .budget import Budget, as_text
from .noticed import Noticed, OutOfRoom, Stopped, plain_reason
from .passed_over import parts_of, passed_over
from .seven_zip_file import SEVEN_ZIP, unpack_7z
from .tar_file import unpack_tar
from .zip_file import DIRECTORY, directory_bytes, name_of, unpack_zip
from .zip_models import model_in

_HDF5 = b"\x89HDF\r\n\x1a\n"
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
_BESIDE_A_MODEL = (".txt", ".json", ".csv", ".names", ".yaml", ".yml", ".py")
_SHORT = 80  # characters
_MOST_NAMES = 2000


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


def content(file: Path) -> dict[str, object]:
    """What a file that is called an archive is, by its content.

    `kind`: `zip_models.model_in`'s, or `file` for what begins as a model in one file does; empty for an archive.
    `names`: of a zip's files that may belong to a model, without their folders, at most 2,000 short ones. Raises
    `Stopped` for a damaged file.
    """
    with stopping_at_damage(file.name):
        if not file.is_file():
            raise ValueError("it is no plain file")
        with file.open("rb") as stream:
            head = stream.read(16)
        if head.startswith((_HDF5, *_PICKLES)) or head[4:8] == b"TFL3":
            return {"kind": "file", "names": []}
        if not head.startswith(b"PK") or not zipfile.is_zipfile(file) or directory_bytes(file) > DIRECTORY:
            return {"kind": "", "names": []}
        with zipfile.ZipFile(file) as opened:
            names = [name_of(info).replace("\\", "/") for info in opened.infolist()]
    kept = (parts_of(as_text(name)) for name in names if name.lower().endswith(_BESIDE_A_MODEL))
    files = {parts[-1] for parts in kept if passed_over(parts, {}) is None and len(parts[-1]) <= _SHORT}
    return {"kind": model_in(names) or "", "names": sorted(files)[:_MOST_NAMES]}


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
