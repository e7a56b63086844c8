"""The store on disk: files by the hash of their content, stage results by the hash of their inputs.

    <folder>/blobs/ab/abcd…     a file; its name is its SHA-256
    <folder>/results/ab/abcd…   a stage's result as JSON, below the SHA-256 of it; its name is the key of the inputs

Everything is written to a temporary name and renamed, so a killed run leaves no half-written entry. The folders must be
private, because files that another user wrote cannot be trusted. Blobs are hashed before use.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from pathlib import Path

from harness.errors import MachineError
from harness.files.hashing import file_sha256
from harness.files.private import private_folder
from harness.files.system import is_ours
from harness.files.whole_file import OWNERS_ONLY, READ_BY_ALL, whole_file
from harness.stages.evidence.record import Blob

_CHUNK = 1 << 20
_WRITABLE_BY_OTHERS = 0o022
_PARTS = ("blobs", "results")

_Version = tuple[int, int, int, int, int]  # a file's device, inode, size, and times of content and inode change


class Store:
    """A folder of blobs and results; several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        """Raises `MachineError` when the folder cannot be made or written, and when others can write it."""
        self.folder = folder
        self._verified: dict[_Version, str] = {}  # version -> SHA-256 of files hashed in this run
        self._lock = threading.Lock()
        try:
            if not folder.exists():
                private_folder(folder)
            _check_owner(folder)
            for part in _PARTS:
                if (folder / part).exists():
                    _check_owner(folder / part)
                private_folder(folder / part)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise MachineError(
                f"{folder}: cannot keep results there: {error.strerror}",
                "set HARNESS_CACHE to a folder that you may write",
            ) from error

    def put(self, file: Path, name: str) -> Blob:
        """Copy a file into the store; `name` is its name when shown or mounted."""
        blob = Blob(name=name, sha256=file_sha256(file), bytes=file.stat().st_size)
        if not self.has(blob):
            self._write("blobs", blob.sha256, file)
        return blob

    def path(self, blob: Blob) -> Path:
        """The blob's file. Never write to it. Raises `MachineError` when its content changed."""
        place = self._place("blobs", blob.sha256)
        if place.exists() and not self.has(blob):
            raise MachineError(f"{place}: was changed since it was kept", "run the same command again with --force")
        return place

    def has(self, blob: Blob) -> bool:
        """Whether the blob exists with unchanged content."""
        place = self._place("blobs", blob.sha256)
        try:
            found = place.stat()
            version = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            with self._lock:
                known = self._verified.get(version)
            if known is None:
                known = file_sha256(place)
                with self._lock:
                    self._verified[version] = known
        except (FileNotFoundError, IsADirectoryError):
            return False
        return known == blob.sha256

    def result(self, key: str) -> bytes | None:
        """The JSON kept under `key`; None where there is none, or it was changed."""
        try:
            digest, _, result = self._place("results", key).read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        return result if hashlib.sha256(result).hexdigest().encode() == digest else None

    def keep(self, key: str, result: bytes) -> None:
        """Keep a stage's JSON under `key`."""
        self._write("results", key, hashlib.sha256(result).hexdigest().encode() + b"\n" + result)

    def _place(self, part: str, digest: str) -> Path:
        return self.folder / part / digest[:2] / digest

    def _write(self, part: str, digest: str, content: Path | bytes) -> None:
        target = self._place(part, digest)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        if isinstance(content, bytes):
            with whole_file(target, OWNERS_ONLY) as stream:
                stream.write(content)
        else:  # mounted for the sandbox's user; other users cannot enter the folder
            with whole_file(target, READ_BY_ALL) as stream, content.open("rb") as source:
                shutil.copyfileobj(source, stream, _CHUNK)


def _check_owner(folder: Path) -> None:
    """Raise `MachineError` for a folder in which another user may have written."""
    found = folder.stat()
    if not is_ours(found):
        raise MachineError(
            f"{folder}: belongs to another user", "set HARNESS_CACHE to a folder of your own, or run it as that user"
        )
    if found.st_mode & _WRITABLE_BY_OTHERS:
        raise MachineError(
            f"{folder}: other users may write there, so what it holds cannot be trusted",
            f"remove it, or where you trust all who could write there: chmod -R go-w {folder}",
        )
