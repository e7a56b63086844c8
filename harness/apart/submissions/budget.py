"""What one submission may unpack to, counted while it is read and written, over all its archives together."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from .noticed import CONFLICTS, OutOfRoom, Stopped

CHUNK = 1 << 20  # bytes
_LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")
_FREE_BYTES = 100 * 10**6  # below this, no ratio is looked at


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """What one submission may unpack to, whatever the number of its archives."""

    total_bytes: int = 4 * 10**9  # what is skipped counts, too
    files: int = 20_000  # that are taken; folders, too
    members: int = 200_000  # of archives, those that are skipped (.venv, .git, __MACOSX) included
    depth: int = 32
    name_bytes: int = 255  # one part of a path
    path_bytes: int = 1024
    ratio: int = 500  # unpacked to packed, looked at above 100 MB
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
    """Counts what is taken and what is skipped, on top of what was `spent` before, and stops it at the limits."""

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
        """All that the submission has used by now, with `seconds` of processor time more."""
        return Spent(self.bytes, self.files, self.members, self.spent.seconds + seconds)

    def entry(self) -> None:
        """Count a file or folder that is taken. Raises `Stopped`."""
        self.files += 1
        if self.files > self.limits.files:
            raise Stopped("archive-too-large", reason=f"it holds over {self.limits.files} files and folders")

    def member(self) -> None:
        """Count a member that is looked at, whether or not it is taken. Raises `Stopped`."""
        self.members += 1
        if self.members > self.limits.members:
            raise Stopped("archive-too-large", reason=f"it holds over {self.limits.members} members")

    def count(self, size: int) -> None:
        """Count bytes that were read. Raises `Stopped`."""
        self._check(self.bytes + size)
        self.bytes += size

    def expect(self, size: int) -> None:
        """`size` more bytes are to come, as the submission itself says. Raises `Stopped`, before they are read."""
        self._check(self.bytes + size)

    def path(self, name: str) -> PurePosixPath | None:
        """The safe relative path for a name in an archive; None for litter and hidden folders.

        Raises `Stopped` for names that are absolute, climb, are too deep or too long.
        """
        if "\x00" in name or "\\" in name or name.startswith("/") or re.match(r"[A-Za-z]:", name):
            raise Stopped("unsafe-path", name=name)
        if ".." in name.split("/"):
            raise Stopped("unsafe-path", name=name)
        return self.local_path(name)

    def local_path(self, name: str) -> PurePosixPath | None:
        """The same for a relative path that was found on this machine's own disk."""
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
        """Whether a file of this name, up to case and Unicode form, came before: the first one counts."""
        form = unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())
        if form in self.seen:
            return True
        self.seen.add(form)
        return False

    def counted(self, source: Readable) -> Counted:
        """The source, each byte of which counts when it is read."""
        return Counted(self, source)

    def _check(self, total: int) -> None:
        if total > self.limits.total_bytes:
            raise Stopped("archive-too-large", reason=f"it unpacks to over {self.limits.total_bytes / 1e9:g} GB")
        if self.packed_bytes is not None and total > max(_FREE_BYTES, self.limits.ratio * self.packed_bytes):
            raise Stopped("archive-too-large", reason="it unpacks to far more than it holds")


class Readable(Protocol):
    """A file, or what unpacks one."""

    def read(self, size: int, /) -> bytes: ...


class Counted:
    """A source of bytes that are counted as they are read, whoever reads them and whether or not they are kept."""

    def __init__(self, budget: Budget, source: Readable) -> None:
        self._budget, self._source = budget, source

    def read(self, size: int) -> bytes:
        """Raises `Stopped` at a limit."""
        piece = self._source.read(min(size, CHUNK))  # a header may ask for gigabytes at once
        self._budget.count(len(piece))
        return piece


def write(source: Readable, target: Path) -> int:
    """Copy to the new file `target`; how many bytes. Raises `OutOfRoom`, or `OSError` for a name that is taken."""
    written = 0
    with Sink(target) as sink:
        while chunk := source.read(CHUNK):
            written += sink.write(chunk)
    return written


class Sink:
    """A new file of ours, written piece by piece."""

    def __init__(self, target: Path) -> None:
        """Raises `OutOfRoom`, or `OSError` for a name that is taken or that the disk does not know."""
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
    """Tells trouble of the machine from trouble with the submission, while something of ours is written."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError) and error.errno not in CONFLICTS:
            raise OutOfRoom(error.strerror or str(error)) from error


def as_text(name: str) -> str:
    """A file name as text that can be written down: bytes that are no UTF-8 are taken as Windows-1252."""
    for errors, encoding in (("strict", "utf-8"), ("surrogateescape", "cp1252")):
        try:
            return name.encode("utf-8", errors).decode(encoding, "replace")
        except UnicodeEncodeError:
            continue
    return name.encode("utf-8", "replace").decode()  # half a character of UTF-16, as a .7z may have it
