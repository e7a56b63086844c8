"""What one hand-in may unpack to, counted while it is read and written."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from .noticed import CONFLICTS, OutOfRoom, Stopped

CHUNK = 1 << 20  # bytes
_LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """What one hand-in may unpack to."""

    total_bytes: int = 4 * 10**9
    files: int = 20_000  # folders, too
    depth: int = 32
    name_bytes: int = 255  # one part of a path
    path_bytes: int = 1024
    ratio: int = 500  # unpacked to packed, looked at above 100 MB


@dataclass(slots=True)
class Budget:
    """Counts what is taken, and stops it at the limits."""

    limits: UnpackLimits
    packed_bytes: int | None = None
    entries: int = 0
    written: int = 0
    seen: set[str] = field(default_factory=set)

    def entry(self) -> None:
        """Count a file, folder or anything else. Raises `Stopped`."""
        self.entries += 1
        if self.entries > self.limits.files:
            raise Stopped("archive-too-large", reason=f"it holds over {self.limits.files} files and folders")

    def expect(self, size: int) -> None:
        """`size` more bytes are to come, as the hand-in itself says. Raises `Stopped`, before they are read."""
        self._check(self.written + size)

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
        if len(parts) > self.limits.depth:
            raise Stopped("archive-too-large", reason=f"folders nest over {self.limits.depth} deep")
        if any(len(part.encode()) > self.limits.name_bytes for part in parts):
            raise Stopped("archive-too-large", reason="a file name is too long")
        if len("/".join(parts).encode()) > self.limits.path_bytes:
            raise Stopped("archive-too-large", reason="a path is too long")
        return None if any(part.startswith(".") for part in parts[:-1]) else PurePosixPath(*parts)

    def twin(self, path: PurePosixPath) -> bool:
        """Whether a file of this name, up to case and Unicode form, came before: the first one counts."""
        form = unicodedata.normalize("NFC", unicodedata.normalize("NFC", str(path)).casefold())
        if form in self.seen:
            return True
        self.seen.add(form)
        return False

    def write(self, source: IO[bytes], target: Path) -> None:
        """Copy to the new file `target`, counting. Raises `Stopped` at a limit, `OutOfRoom`."""
        with self.sink(target) as sink:
            while chunk := source.read(CHUNK):
                sink.write(chunk)

    def sink(self, target: Path) -> Sink:
        """The new file `target`, to be written piece by piece."""
        return Sink(self, target)

    def count(self, size: int) -> None:
        self._check(self.written + size)
        self.written += size

    def _check(self, total: int) -> None:
        if total > self.limits.total_bytes:
            raise Stopped("archive-too-large", reason=f"it unpacks to over {self.limits.total_bytes / 1e9:g} GB")
        packed = self.packed_bytes
        if packed is not None and total > max(100 * 10**6, self.limits.ratio * packed):
            raise Stopped("archive-too-large", reason="it unpacks to far more than it holds")


class Sink:
    """A file of ours that counts what is written to it."""

    def __init__(self, budget: Budget, target: Path) -> None:
        """Raises `OutOfRoom`, or `OSError` for a name that is taken."""
        self._budget = budget
        with _room():
            target.parent.mkdir(parents=True, exist_ok=True)
            self._stream = target.open("xb")

    def write(self, piece: bytes | bytearray) -> int:
        self._budget.count(len(piece))
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
    """Tells trouble of the machine from trouble with the hand-in, while something of ours is written."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError) and error.errno not in CONFLICTS:
            raise OutOfRoom(error.strerror or str(error)) from error


def as_text(name: str) -> str:
    """A file name as text that can be written down: bytes that are no UTF-8 are taken as Windows-1252."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return name
