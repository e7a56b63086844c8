"""A data set as a zip."""

from __future__ import annotations

import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ..phases.error_text import one_sentence
from .image import Unreadable
from .walk import Tree, tree

_MOST_MEMBERS = 100_000
_MOST_BYTES = 2 * 2**30  # unpacked; the sandbox's own limit on its disk may be lower
_LARGEST_RATIO = 200  # of one member: a photograph does not shrink, text does by ten


def unpacked(file: Path, scratch: Path) -> Tree:
    """The files in the zip, unpacked below `scratch`: plain ones with harmless names.

    Raises `Unreadable`, and nothing else, for a file that is not a zip, is encrypted or damaged, or is too large.
    """
    target = scratch / "unpacked"
    target.mkdir(parents=True)
    try:
        with zipfile.ZipFile(file) as archive:
            odd = _unpack(archive, target)
    except Unreadable:
        raise
    except MemoryError:
        raise Unreadable(f"{file.name} cannot be unpacked: it takes too much memory") from None
    except Exception as error:  # also errors of zlib, lzma and struct, and RuntimeError for a password
        raise Unreadable(f"{file.name} cannot be unpacked: {_why(error)}") from error
    return replace(tree(target), odd=odd)


def _why(error: Exception) -> str:
    """What is wrong with the archive, and what to do."""
    said = str(error)
    if "password" in said.lower() or "encrypted" in said.lower():
        return "it is encrypted; pack it without a password"
    if isinstance(error, (zipfile.BadZipFile, zlib.error, EOFError, struct.error)):
        return "it is cut off, damaged or no zip; pack it again as a zip"
    return f"{one_sentence(said) or type(error).__name__}; pack it again as a zip"


def _unpack(archive: zipfile.ZipFile, target: Path) -> int:
    """Unpack the members; return how many were left out: not plain files, names that lead outside, repeated names."""
    odd = 0
    members = [member for member in archive.infolist() if not member.filename.endswith(("/", "\\"))]
    if len(members) > _MOST_MEMBERS:
        raise Unreadable(f"it holds more than {_MOST_MEMBERS:,} files")
    if sum(member.file_size for member in members) > _MOST_BYTES:
        raise Unreadable(f"it unpacks to more than {_MOST_BYTES // 2**30} GiB")
    for member in members:
        if member.file_size > _LARGEST_RATIO * max(1, member.compress_size) and member.file_size > 2**20:
            raise Unreadable(f"{member.filename[:200]!r} unpacks to more than {_LARGEST_RATIO} times its size")
        path = _harmless(member)
        if path is None or (target / path).exists():
            odd += 1
            continue
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, (target / path).open("wb") as copy:  # stops at the stated size
            shutil.copyfileobj(source, copy, 1 << 20)
    return odd


def _harmless(member: zipfile.ZipInfo) -> PurePosixPath | None:
    """The member's path, or None for a link, an absolute path or one that leads out."""
    kind = member.external_attr >> 16
    if kind and not stat.S_ISREG(kind) and stat.S_IFMT(kind):
        return None
    path = PurePosixPath(unicodedata.normalize("NFC", member.filename.replace("\\", "/")))
    if path.is_absolute() or ".." in path.parts or ":" in (path.parts or (":",))[0] or "\0" in member.filename:
        return None
    return path
