"""Hashes of the content of files and folders."""

from __future__ import annotations

import errno
import functools
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 20


def file_sha256(file: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sparse_sha256(file: Path, most: int) -> str:
    """The SHA-256, in hex, of a file's size and the first `most` bytes of its blocks of 1 MiB that are not all zero.

    Their places count, too. A hole of a sparse file is not read: 50 GB of nothing take no time. Raises `OSError`.
    """
    digest = hashlib.sha256()
    with file.open("rb", buffering=0) as stream:
        digest.update(b"%d:" % os.fstat(stream.fileno()).st_size)
        for place in _blocks_with_data(stream.fileno()):
            stream.seek(place)
            block = stream.read(min(_BLOCK, most))
            if block.count(0) < len(block):
                digest.update(b"%d:" % place)
                digest.update(block)
                most -= len(block)
            if most <= 0:
                break
    return digest.hexdigest()


def _blocks_with_data(descriptor: int) -> Iterator[int]:
    """The places of a file's blocks, without those that lie in holes wholly."""
    size, place = os.fstat(descriptor).st_size, 0
    seek_data = getattr(os, "SEEK_DATA", None)  # not on Windows
    while place < size:
        if seek_data is not None:
            try:
                found = os.lseek(descriptor, place, seek_data)
            except OSError as error:
                if error.errno == errno.ENXIO:  # only a hole follows
                    return
                raise
            place = max(place, found - found % _BLOCK)
        yield place
        place += _BLOCK


def tree_sha256(folder: Path) -> str:
    """The hash of a folder's file names and contents."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder)}\0{file_sha256(file)}\n".encode())
    return digest.hexdigest()


def known_sha256(file: Path) -> str:
    """As `file_sha256`, read once for each state of the file, as its inode, size and times say."""
    found = file.stat()
    return _sha256_as_of(file, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@functools.lru_cache(maxsize=64)
def _sha256_as_of(file: Path, *_: int) -> str:
    return file_sha256(file)


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file in a stage's request, identified by its content and not its path."""

    file: Path

    def key(self) -> str:
        """The SHA-256 of the content, in hex."""
        return known_sha256(self.file)
