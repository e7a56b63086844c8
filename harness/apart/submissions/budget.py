"""Limits on what one submission may unpack to, counted while reading and writing, over all its archives."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from .noticed import CONFLICTS, Noticed, OutOfRoom, Stopped
from .passed_over import Environments, Folder, environments, parts_of, passed_over

CHUNK = 1 << 20  # bytes
_MOST_NAMED = 10  # folders that were left out
_LATEST = 1 << 33  # seconds since 1970; a time after that is not one
_FREE_BYTES = 100 * 10**6  # below this, the ratio is not checked


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """What one submission may unpack to, over all its archives."""

    total_bytes: int = 4 * 10**9  # skipped bytes count, too
    files: int = 20_000  # that are unpacked, folders included
    members: int = 200_000  # of all archives, skipped ones (.venv, node_modules, __MACOSX) included
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
    environments: Environments = field(default_factory=dict)  # of the archive or folder that is being read
    left_out: dict[str, str] = field(default_factory=dict)  # folder -> what it is, of those that people are told of
    _files_in: Counter[Folder] = field(default_factory=Counter)
    _members_in: Counter[Folder] = field(default_factory=Counter)
    _bytes_in: Counter[Folder] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.bytes, self.files, self.members = self.spent.bytes, self.spent.files, self.spent.members

    def used(self, seconds: float = 0.0) -> Spent:
        """What the submission has used so far, plus `seconds` of processor time."""
        return Spent(self.bytes, self.files, self.members, self.spent.seconds + seconds)

    def entry(self, path: PurePosixPath | None = None, size: int = 0) -> None:
        """Count a file or folder that is unpacked; `size` is what it says it has. Raises `Stopped`."""
        self.files += 1
        folder = path.parts[:-1] if path else ()
        self._files_in[folder] += 1
        self._bytes_in[folder] += size
        if self.files > self.limits.files:
            much = _most(self._files_in, "files", self.limits.files)
            raise Stopped("archive-too-large", reason=f"it holds over {self.limits.files} files and folders{much}")

    def member(self, name: str = "", size: int = 0) -> None:
        """Count a member that is examined, whether or not it is unpacked; `size` if it is not. Raises `Stopped`."""
        self.members += 1
        if name:
            folder = tuple(parts_of(as_text(name))[:-1][: self.limits.depth])
            self._members_in[folder] += 1
            self._bytes_in[folder] += size
        if self.members > self.limits.members:
            much = _most(self._members_in, "members", self.limits.members)
            raise Stopped("archive-too-large", reason=f"it holds over {self.limits.members} members{much}")

    def listed(self, names: Iterable[str]) -> None:
        """Learn the names of all members of an archive, before their paths are asked for."""
        self.environments = environments(as_text(name) for name in names)

    def noticed(self) -> list[Noticed]:
        """The folders that were left out and that people should know of."""
        return [Noticed("folder-left-out", {"name": name, "what": what}) for name, what in self.left_out.items()]

    def count(self, size: int) -> None:
        """Count bytes that were read. Raises `Stopped`."""
        self._check(self.bytes + size)
        self.bytes += size

    def expect(self, size: int) -> None:
        """Check `size` bytes that the archive announces, before they are read. Raises `Stopped`."""
        self._check(self.bytes + size)

    def path(self, name: str, *, is_folder: bool = False) -> PurePosixPath | None:
        """The safe relative path for a name in an archive, `\\` as `/`; None for what is passed over.

        Raises `Stopped` for names that are absolute, contain `..`, are too deep or too long.
        """
        if _leads_outside(name):
            raise Stopped("unsafe-path", name=name)
        return self._taken(parts_of(as_text(name)), is_folder or name.endswith(("/", "\\")))

    def local_path(self, name: str, *, is_folder: bool = False) -> PurePosixPath | None:
        """The same for a relative path on this machine's disk, where a `\\` may also be a part of a name."""
        text = as_text(name)
        last = text.rpartition("/")[2]
        parts = parts_of(text) if "\\" in last and not _leads_outside(last) else _plain_parts(text)
        return self._taken(parts, is_folder)

    def _taken(self, parts: list[str], is_folder: bool) -> PurePosixPath | None:
        if not parts:
            return None
        over = passed_over(parts, self.environments, is_folder=is_folder)
        if over is not None:
            if over.what and len(self.left_out) < _MOST_NAMED and len(over.folder.encode()) <= self.limits.path_bytes:
                self.left_out[over.folder] = over.what
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
            much = _most(self._bytes_in, "GB", self.limits.total_bytes)
            raise Stopped("archive-too-large", reason=f"it unpacks to over {self.limits.total_bytes / 1e9:g} GB{much}")
        if self.packed_bytes is not None and total > max(_FREE_BYTES, self.limits.ratio * self.packed_bytes):
            raise Stopped("archive-too-large", reason="it unpacks to far more than it holds")


def _leads_outside(name: str) -> bool:
    """Whether the name is absolute, climbs up or holds a NUL, by the rules of any system."""
    slashed = name.replace("\\", "/")
    if "\x00" in name or slashed.startswith("/") or re.match(r"[A-Za-z]:", slashed):
        return True
    return ".." in slashed.split("/")


def _plain_parts(name: str) -> list[str]:
    return [part for part in unicodedata.normalize("NFC", name).split("/") if part not in ("", ".")]


def _most(held: Counter[Folder], unit: str, limit: int) -> str:
    """`; data/raw holds 18,000 of the 20,000 files`: the deepest folder with at least half of what was counted."""
    below: Counter[Folder] = Counter()
    for folder, amount in held.items():
        for length in range(1, len(folder) + 1):
            below[folder[:length]] += amount
    total = held.total()
    much = [folder for folder, amount in below.items() if 2 * amount >= total > 0]
    if not much:
        return ""
    most = max(much, key=lambda folder: (len(folder), below[folder]))
    amount = min(below[most], limit)
    said = f"{amount / 1e9:.1f} of the {limit / 1e9:g}" if unit == "GB" else f"{amount:,} of the {limit:,}"
    return f"; {'/'.join(most)} holds {said} {unit}"


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


def write(source: Readable, target: Path, changed: float) -> int:
    """Copy to the new file `target`; return the bytes. Raises `OutOfRoom`, or `OSError` if `target` exists.

    `changed`: when the file was last changed, in seconds since 1970, as `set_changed` takes it.
    """
    written = 0
    with Sink(target) as sink:
        while chunk := source.read(CHUNK):
            written += sink.write(chunk)
    set_changed(target, changed)
    return written


def set_changed(file: Path, changed: float) -> None:
    """Set when the file was last changed, which says which of several is the newest; 1970 for a time that cannot be."""
    seconds = int(changed) if 0 <= changed < _LATEST else 0
    os.utime(file, (seconds, seconds))


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
