"""Hashes of the content of files and folders."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


def file_sha256(file: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tree_sha256(folder: Path) -> str:
    """The hash of a folder's file names and contents."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder)}\0{file_sha256(file)}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file in a stage's request, identified by its content and not its path."""

    file: Path

    def key(self) -> str:
        """The SHA-256 of the content, in hex."""
        return file_sha256(self.file)
