"""Limits on what one submission may unpack to, counted while reading and writing, over all its archives."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from .noticed import CONFLICTS, OutOfRoom, Stopped

CHUNK = 1 << 20  # bytes
_LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")
_FREE_BYTES = 100 * 10**6  # below this, the ratio is not checked


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """What one submission may unpack to, over all its archives."""

    total_bytes: int = 4 * 10**9  # skipped bytes count, too
    files: int = 20_000  # that are unpacked, folders included
    members: int = 200_000  # of all archives, skipped ones (.venv, .git, __MACOSX) included
    depth: int = 32
    name_bytes: int = 255  # of one part of a path
    path_bytes: int = 1024
    ratio: int = 500  # unpacked to packed, checked above 100 MB
    seconds: int = 600  # of processor time; 4 GB of bzip2 take two minutes


@dataclass(frozen=True, slots=True)
class Spent:
    """What a submission has used of its limits so far."""

    bytes: int = 0
    files: int = 0
    members: int = 0
    seconds: float = 0.0  # of processor time


@dataclass(slots=True)
class Budget:
    """Counts what is unpacked and skipped, on top of what was `spent` before, and raises `Stopped` at a limit."""

    limits: UnpackLimits
    packed_bytes: int | None = None  # of the submission as it was handed in
    spent: Spent = Spent()
    bytes: int = field(init=False)
    files: int = field(init=False)
    members: int = field(init=False)
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.bytes, self.files, self.members = self.spent.bytes, self.spent.files, self.spent.members

    def used(self, seconds: float = 0.0) -> Spent:
        """What the submission has used so far, plus `seconds` of processor time."""
        return Spent(self.bytes, self.files, self.members, self.spent.seconds + seconds)

    def entry(self) -> None:
        """Count a file or folder that is unpacked. Raises `Stopped`."""
        self.files += 1
        if self.files > self.limits.files:
            raise Stopped("archive-too-large", reason=f"it holds over {self.limits.files} files and folders")

    def member(self) -> None:
        """Count a member that is examined, whether or not it is unpacked. Raises `Stopped`."""
        self.members += 1
        if self.members > self.limits.members:
            raise Stopped("archive-too-large", reason=f"it holds over {self.limits.members} members")

    def count(self, size: int) -> None:
        """Count bytes that were read. Raises `Stopped`."""
        self._check(self.bytes + size)
        self.bytes += size

    def expect(self, size: int) -> None:
        """Check `size` bytes that the archive announces, before they are read. Raises `Stopped`."""
        self._check(self.bytes + size)

    def path(self, name: str) -> PurePosixPath | None:
        """The safe relative path for a name in an archive; None for system litter and hidden folders.

        Raises `Stopped` for names that are absolute, contain `..`, are too deep or too long.
        """
        if "\x00" in name or "\\" in name or name.startswith("/") or re.match(r"[A-Za-z]:", name):
            raise Stopped("unsafe-path", name=name)
        if ".." in name.split("/"):
            raise Stopped("unsafe-path", name=name)
        return self.local_path(name)

    def local_path(self, name: str) -> PurePosixPath | None:
        """The same for a relative path on this machine's disk."""
        parts = [part for part in as_text(name).split("/") if part not in ("", ".")]
        if not parts or parts[0] == "__MACOSX" or parts[-1] in _LITTER or parts[-1].startswith("._"):
            return None
        if any(part.startswith(".") for part in parts[:-1]):
            return None
        if len(parts) > self.limits.depth:
            raise Stopped("archive-too-large", reason=f"folders nest over {self.limits.depth} deep")
        if any(len(part.encode()) > self.limits.name_bytes for part in parts):
            raise Stopped("archive-too-large", reason="a file name is too long")
        if len("/".join(parts).encode()) > self.limits.path_bytes:
            raise Stopped("archive-too-large", reason="a path is too long")
        return PurePosixPath(*parts)

    def twin(self, path: PurePosixPath) -> bool:
        """Whether a file with this name, ignoring case and Unicode form, came before; the first one counts."""
        form = unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())
        if form in self.seen:
            return True
        self.seen.add(form)
        return False

    def counted(self, source: Readable) -> Counted:
        """The source, wrapped to count each byte that is read."""
        return Counted(self, source)

    def _check(self, total: int) -> None:
        if total > self.limits.total_bytes:
            raise Stopped("archive-too-large", reason=f"it unpacks to over {self.limits.total_bytes / 1e9:g} GB")
        if self.packed_bytes is not None and total > max(_FREE_BYTES, self.limits.ratio * self.packed_bytes):
            raise Stopped("archive-too-large", reason="it unpacks to far more than it holds")


class Readable(Protocol):
    """A file, or a decompressing reader."""

    def read(self, size: int, /) -> bytes: ...


class Counted:
    """A source whose bytes are counted as they are read, whether or not they are kept."""

    def __init__(self, budget: Budget, source: Readable) -> None:
        self._budget, self._source = budget, source

    def read(self, size: int) -> bytes:
        """Raises `Stopped` at a limit."""
        piece = self._source.read(min(size, CHUNK))  # a header may ask for gigabytes at once
        self._budget.count(len(piece))
        return piece


def write(source: Readable, target: Path) -> int:
    """Copy to the new file `target`; return the bytes. Raises `OutOfRoom`, or `OSError` if `target` exists."""
    written = 0
    with Sink(target) as sink:
        while chunk := source.read(CHUNK):
            written += sink.write(chunk)
    return written


class Sink:
    """A new file, written piece by piece."""

    def __init__(self, target: Path) -> None:
        """Raises `OutOfRoom`, or `OSError` for a name that exists or that the file system does not allow."""
        with _room():
            target.parent.mkdir(parents=True, exist_ok=True)
            self._stream = target.open("xb")

    def write(self, piece: bytes | bytearray) -> int:
        with _room():
            return self._stream.write(piece)

    def close(self) -> None:
        with _room():
            self._stream.close()

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _room:
    """Distinguishes the machine's trouble from the submission's while a file is written: raises `OutOfRoom`."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError) and error.errno not in CONFLICTS:
            raise OutOfRoom(error.strerror or str(error)) from error


def as_text(name: str) -> str:
    """A file name as encodable text: bytes that are not UTF-8 are read as Windows-1252."""
    for errors, encoding in (("strict", "utf-8"), ("surrogateescape", "cp1252")):
        try:
            return name.encode("utf-8", errors).decode(encoding, "replace")
        except UnicodeEncodeError:
            continue
    return name.encode("utf-8", "replace").decode()  # a lone UTF-16 surrogate, as a .7z may have
