"""An archive of any kind, told by its content."""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

from .budget import Budget, UnpackLimits
from .noticed import Noticed, OutOfRoom, Stopped, plain_reason
from .seven_zip_file import SEVEN_ZIP, unpack_7z
from .tar_file import unpack_tar
from .zip_file import unpack_zip


def unpack(archive: Path, folder: Path, limits: UnpackLimits) -> list[Noticed]:
    """Unpack into the empty `folder`; what was left out. Judged by content, not by name.

    Raises `Stopped` for an archive that is not taken, `OutOfRoom` when the machine cannot.
    """
    budget = Budget(limits, packed_bytes=archive.stat().st_size)
    if archive.stat().st_size > limits.total_bytes:
        raise Stopped("archive-too-large", reason=f"it is over {limits.total_bytes / 1e9:g} GB")
    try:
        with archive.open("rb") as stream:
            head = stream.read(len(SEVEN_ZIP))
        if head == SEVEN_ZIP:
            return unpack_7z(archive, folder, budget)
        if zipfile.is_zipfile(archive):
            return unpack_zip(archive, folder, budget)
        if tarfile.is_tarfile(archive):
            return unpack_tar(archive, folder, budget)
    except (Stopped, OutOfRoom):
        raise
    except MemoryError:
        raise Stopped("archive-too-large", reason="reading it takes too much memory") from None
    except (
        zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, struct.error, RecursionError,
        NotImplementedError, RuntimeError, OSError, UnicodeError, ValueError,
    ) as error:  # fmt: skip
        raise Stopped("archive-unreadable", name=archive.name, reason=plain_reason(error)) from error
    raise Stopped("archive-unreadable", name=archive.name, reason=_no_archive(head))


def _no_archive(head: bytes) -> str:
    if not head:
        return "it is empty"
    if head.startswith(b"Rar!"):
        return "it is a .rar"
    return "it is cut off or damaged" if head.startswith(b"PK") else "it is no zip, tar or 7z archive"
