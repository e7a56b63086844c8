"""The program that unpacks a stranger's archive, alone in a process with limits of its own.

    python -I unpacking.py ARCHIVE FOLDER LIMITS      (LIMITS: `UnpackLimits` as JSON)

It says on stdout, as JSON, what was noticed (`noticed`), and why the archive, or the machine, stopped it
(`stopped`, `machine`). `archives.py` starts it; a header that wants all memory, or a decoder that crashes,
ends this process and not the harness. So it imports the standard library only, and `py7zr` for a .7z.

Nothing is trusted: names are checked before anything is written, sizes are counted while they are read.
"""

from __future__ import annotations

import errno
import json
import lzma
import os
import re
import resource
import stat
import struct
import sys
import tarfile
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"
_CHUNK = 1 << 20
_MEMORY = 1 << 30  # bytes of address space beside what Python itself takes; 7-Zip's own best needs 0.3
_DIRECTORY = 16 << 20  # bytes of a zip's list of members
_LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")
_MOST_NAMED = 10  # of one kind of thing noticed
_CONFLICTS = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR)


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """What one hand-in may unpack to."""

    total_bytes: int = 4 * 10**9
    files: int = 20_000  # folders, too
    depth: int = 32
    name_bytes: int = 255  # one part of a path
    path_bytes: int = 1024
    ratio: int = 500  # unpacked to packed, looked at above 100 MB


@dataclass(frozen=True, slots=True)
class Noticed:
    """A finding to be: its code in `harness/findings.py`, and the particulars."""

    code: str
    particulars: dict[str, str]


class Stopped(Exception):
    """A limit, or something that is not unpacked at all."""

    def __init__(self, code: str, **particulars: str) -> None:
        super().__init__(code)
        self.noticed = Noticed(code, particulars)


class OutOfRoom(Exception):
    """The machine, not the hand-in, stopped it: no room on the disk, say."""


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
            while chunk := source.read(_CHUNK):
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
        if isinstance(error, OSError) and error.errno not in _CONFLICTS:
            raise OutOfRoom(error.strerror or str(error)) from error


def as_text(name: str) -> str:
    """A file name as text that can be written down: bytes that are no UTF-8 are taken as Windows-1252."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return name


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
            return _unpack_7z(archive, folder, budget)
        if zipfile.is_zipfile(archive):
            return _unpack_zip(archive, folder, budget)
        if tarfile.is_tarfile(archive):
            return _unpack_tar(archive, folder, budget)
    except (Stopped, OutOfRoom):
        raise
    except MemoryError:
        raise Stopped("archive-too-large", reason="reading it takes too much memory") from None
    except (
        zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, struct.error, RecursionError,
        NotImplementedError, RuntimeError, OSError, UnicodeError, ValueError,
    ) as error:  # fmt: skip
        raise Stopped("archive-unreadable", name=archive.name, reason=_plain_reason(error)) from error
    raise Stopped("archive-unreadable", name=archive.name, reason=_no_archive(head))


def _no_archive(head: bytes) -> str:
    if not head:
        return "it is empty"
    if head.startswith(b"Rar!"):
        return "it is a .rar"
    return "it is cut off or damaged" if head.startswith(b"PK") else "it is no zip, tar or 7z archive"


def _plain_reason(error: Exception) -> str:
    if "password" in str(error).lower() or "encrypted" in str(error).lower():
        return "it is encrypted"
    if isinstance(error, OSError) and error.errno in _CONFLICTS:
        return "it holds a file and a folder of the same name"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)[:200] or type(error).__name__


class _LeftOut:
    """What was left out: each kind's first ones by name."""

    def __init__(self) -> None:
        self.noticed: list[Noticed] = []
        self._counts: dict[str, int] = {}

    def note(self, code: str, **particulars: str) -> None:
        self._counts[code] = self._counts.get(code, 0) + 1
        if self._counts[code] <= _MOST_NAMED:
            self.noticed.append(Noticed(code, particulars))


# --- zip ----------------------------------------------------------------------------------------


def _unpack_zip(archive: Path, folder: Path, budget: Budget) -> list[Noticed]:
    if _zip_directory_bytes(archive) > _DIRECTORY:
        raise Stopped("archive-too-large", reason=f"it holds over {budget.limits.files} files and folders")
    left_out = _LeftOut()
    with zipfile.ZipFile(archive) as opened:
        members = opened.infolist()
        _check_overlap(members, opened.start_dir)
        chosen: list[tuple[zipfile.ZipInfo, PurePosixPath]] = []
        expected = 0
        for info in members:  # all names before the first file
            budget.entry()
            path = budget.path(_zip_name(info))
            if path is None or info.is_dir():
                continue
            mode = info.external_attr >> 16 if info.create_system == 3 else 0
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                left_out.note("unsafe-member", name=str(path), kind="link or device")
            elif mode & (stat.S_ISUID | stat.S_ISGID):
                left_out.note("unsafe-member", name=str(path), kind="set-id file")
            elif budget.twin(path):
                left_out.note("duplicate-name", name=str(path))
            else:
                chosen.append((info, path))
                expected += info.file_size
        budget.expect(expected)
        for info, path in chosen:
            with opened.open(info) as stream:
                budget.write(stream, folder / path)
    return left_out.noticed


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The member's name: what stands after a NUL is not hidden, and UTF-8 without its flag is still UTF-8."""
    name = info.orig_filename if "\x00" in info.orig_filename else info.filename
    if not info.flag_bits & 0x800:
        try:
            return name.encode("cp437").decode()
        except UnicodeError:
            pass
    return name


def _zip_directory_bytes(archive: Path) -> int:
    """The size of the list of members, of which zipfile makes objects before anyone can count them."""
    with archive.open("rb") as stream:
        stream.seek(max(0, archive.stat().st_size - (1 << 16) - 22))
        tail = stream.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < 22:
            return 0
        size = int.from_bytes(tail[at + 12 : at + 16], "little")
        wide = tail.rfind(b"PK\x06\x06", 0, at)
        if wide >= 0 and at - wide >= 56:
            size = max(size if size != 0xFFFFFFFF else 0, int.from_bytes(tail[wide + 40 : wide + 48], "little"))
    return size


def _check_overlap(members: list[zipfile.ZipInfo], directory: int) -> None:
    """Raises `BadZipFile` when two members share bytes of the file, as in Fifield's bombs."""
    ordered = sorted(members, key=lambda info: info.header_offset)
    ends = [info.header_offset for info in ordered[1:]] + [directory]
    for info, end in zip(ordered, ends, strict=True):
        if info.header_offset + 30 + info.compress_size > end:
            raise zipfile.BadZipFile("its members overlap")


# --- tar ----------------------------------------------------------------------------------------


def _unpack_tar(archive: Path, folder: Path, budget: Budget) -> list[Noticed]:
    left_out = _LeftOut()
    with tarfile.open(archive, mode="r:*") as opened:
        for info in opened:
            budget.entry()
            path = budget.path(info.name)
            if path is None or info.isdir():
                continue
            if not info.isreg() or info.issparse():
                left_out.note("unsafe-member", name=str(path), kind=_tar_kind(info))
            elif info.mode & (stat.S_ISUID | stat.S_ISGID):
                left_out.note("unsafe-member", name=str(path), kind="set-id file")
            elif budget.twin(path):
                left_out.note("duplicate-name", name=str(path))
            else:
                budget.expect(info.size)
                stream = opened.extractfile(info)
                assert stream is not None
                before = budget.written
                with stream:
                    budget.write(stream, folder / path)
                if budget.written - before != info.size:
                    raise tarfile.ReadError("it is cut off")
    return left_out.noticed


def _tar_kind(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "link"
    return "FIFO" if info.isfifo() else "sparse file" if info.issparse() else "device"


# --- 7z -----------------------------------------------------------------------------------------


def _unpack_7z(archive: Path, folder: Path, budget: Budget) -> list[Noticed]:
    import py7zr
    from py7zr.exceptions import ArchiveError

    left_out = _LeftOut()
    try:
        with archive.open("rb") as stream, py7zr.SevenZipFile(stream) as opened:  # given a stream, it uses one thread
            chosen: dict[str, PurePosixPath] = {}
            expected = 0
            for info in opened.files:
                budget.entry()
                path = budget.path(info.filename)
                if path is None or info.is_directory:
                    continue
                if info.is_symlink or info.is_junction or info.is_socket:
                    left_out.note("unsafe-member", name=str(path), kind="link or device")
                elif budget.twin(path):
                    raise Stopped("archive-unreadable", name=archive.name, reason=f"{path} is in it twice")
                else:
                    chosen[info.filename] = path
                    expected += info.uncompressed
            if opened.needs_password():
                raise ValueError("encrypted")
            budget.expect(expected)
            opened.extract(targets=list(chosen), factory=_factory(chosen, folder, budget))
    except (ArchiveError, KeyError, TypeError, IndexError, AttributeError, AssertionError) as error:
        # py7zr raises all of these for a damaged header
        raise Stopped("archive-unreadable", name=archive.name, reason=_plain_reason(error)) from error
    return left_out.noticed


def _factory(chosen: dict[str, PurePosixPath], folder: Path, budget: Budget) -> Any:
    """Where py7zr writes what it unpacks."""
    from py7zr.io import Py7zIO, WriterFactory

    class Writer(Py7zIO):
        def __init__(self, sink: Sink) -> None:
            self._sink, self._size = sink, 0

        def write(self, s: bytes | bytearray) -> int:
            self._size += len(s)
            return self._sink.write(s)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return offset

        def flush(self) -> None: ...

        def size(self) -> int:
            return self._size

        def close(self) -> None:
            self._sink.close()

    class Factory(WriterFactory):
        def create(self, filename: str) -> Any:
            relative = os.path.relpath(filename) if filename.startswith("/") else filename
            return Writer(budget.sink(folder / chosen[relative]))

    return Factory()


# --- the process --------------------------------------------------------------------------------


def main(archive: str, folder: str, limits: str) -> None:
    """Unpack, and say on stdout what came of it."""
    bounds = UnpackLimits(**json.loads(limits))
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + _MEMORY, taken + _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (bounds.total_bytes + _CHUNK, bounds.total_bytes + _CHUNK))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    said: dict[str, object] = {}
    try:
        said["noticed"] = [[n.code, n.particulars] for n in unpack(Path(archive), Path(folder), bounds)]
    except Stopped as stopped:
        said["stopped"] = [stopped.noticed.code, stopped.noticed.particulars]
    except OutOfRoom as trouble:
        said["machine"] = str(trouble)
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
