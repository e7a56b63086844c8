"""Finds files whose content existed before a notebook ran: the same bytes, under any path and name.

Times and names prove nothing, because a notebook can set them. So contents are compared with everything that was
handed in and mounted, also inside archives. A repacked archive (a torch or Keras file is one) counts as its members.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

_PIECE = 2**20  # bytes read at a time
_MOST_MEMBERS = 100_000  # of one archive
_COMPRESSED: tuple[Callable[[Path], Any], ...] = (gzip.open, bz2.open, lzma.open)
# Exceptions of the standard library's readers for a damaged or hostile archive.
_UNREADABLE = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
    tarfile.TarError,
)  # fmt: skip

Content = tuple[int, str]  # bytes, and their SHA-256


def known(candidates: Sequence[Path], before: Iterable[Path]) -> set[Path]:
    """The `candidates` whose content existed before: in a file below the folders `before`, or inside such a file."""
    contents = {file: _content(file) for file in candidates}
    parts = {file: _members(file) for file in candidates}
    sizes = {size for size, _ in contents.values()} | {size for held in parts.values() for size, _ in held}
    old: set[Content] = set()
    for folder in before if candidates else ():
        for file in _every_file(folder):
            with contextlib.suppress(OSError):
                old.update(_contents_of(file, sizes))
    return {
        file
        for file in candidates
        if contents[file] in old or (parts[file] and all(part in old for part in parts[file]))
    }


def _every_file(folder: Path) -> Iterator[Path]:
    """Every plain file, hidden ones too."""
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            if stat.S_ISREG(file.lstat().st_mode):
                yield file


def _content(file: Path) -> Content:
    with file.open("rb") as stream:
        return _read(stream)


def _read(stream: IO[bytes], most: int | None = None) -> Content:
    """Size and hash of the stream, of its first `most` bytes and one more at most."""
    digest, size = hashlib.sha256(), 0
    while most is None or size <= most:
        piece = stream.read(_PIECE if most is None else min(_PIECE, most + 1 - size))
        if not piece:
            break
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def _members(file: Path) -> list[Content]:
    """The contents of a candidate's members if it is a zip; empty for any other."""
    try:
        return list(_in_zip(file, None)) if zipfile.is_zipfile(file) else []
    except _UNREADABLE:
        return []


def _contents_of(file: Path, sizes: set[int]) -> Iterator[Content]:
    """The file's own content and its members', if their size is one of `sizes`."""
    if file.stat().st_size in sizes:
        yield _content(file)
    if zipfile.is_zipfile(file):
        with contextlib.suppress(*_UNREADABLE):
            yield from _in_zip(file, sizes)
        return
    with contextlib.suppress(*_UNREADABLE):
        yield from _in_tar(file, sizes)
    largest = max(sizes, default=0)
    for opener in _COMPRESSED:
        try:
            with opener(file) as stream:
                yield _read(stream, largest)
        except _UNREADABLE:
            continue


def _in_zip(file: Path, sizes: set[int] | None) -> Iterator[Content]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist()[:_MOST_MEMBERS]:
            if info.is_dir() or (sizes is not None and info.file_size not in sizes):
                continue
            with archive.open(info) as stream:
                yield _read(stream, info.file_size)


def _in_tar(file: Path, sizes: set[int]) -> Iterator[Content]:
    with tarfile.open(file) as archive:
        for count, info in enumerate(archive):
            if count >= _MOST_MEMBERS:
                return
            if info.isfile() and info.size in sizes and (stream := archive.extractfile(info)) is not None:
                yield _read(stream, info.size)
