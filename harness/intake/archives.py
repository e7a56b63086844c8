"""Unpacking a stranger's archive, under limits.

Nothing is trusted: sizes are counted while they are read, names are checked before anything is written,
and anything but plain files and folders stops the unpacking.
"""

from __future__ import annotations

import os
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from harness.findings import Finding, finding

ARCHIVE_SUFFIXES = (".zip", ".tar.gz", ".tgz", ".tar", ".tar.xz", ".tar.bz2")
FOREIGN_SUFFIXES = (".rar", ".7z")  # recognised, to say what to hand in instead

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """What one hand-in may unpack to."""

    total_bytes: int = 4 * 10**9
    files: int = 20_000
    depth: int = 32
    name_bytes: int = 255  # one part of a path
    ratio: int = 500  # unpacked to packed, looked at above 100 MB


class Refused(Exception):
    """The archive, or folder, is not taken. Carries the finding that says why."""

    def __init__(self, why: Finding) -> None:
        super().__init__(why.message)
        self.finding = why


@dataclass(slots=True)
class Budget:
    """Counts what is written, and stops it at the limits."""

    limits: UnpackLimits
    packed_bytes: int | None = None
    files: int = 0
    written: int = 0
    seen: set[str] = field(default_factory=set)

    def path(self, name: str) -> PurePosixPath | None:
        """The safe relative path for a member's name; None for a folder's own entry or system litter.

        Raises `Refused` for names that are absolute, climb, are too deep, too long or not plain text.
        """
        if "\x00" in name or "\\" in name or name.startswith("/") or (len(name) > 1 and name[1] == ":"):
            raise Refused(finding("unsafe-path", name=name))
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise Refused(finding("unsafe-path", name=name))
        if not parts or parts[0] == "__MACOSX" or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini"):
            return None
        if len(parts) > self.limits.depth:
            raise Refused(finding("archive-too-large", reason=f"folders nest over {self.limits.depth} deep"))
        if any(len(os.fsencode(part)) > self.limits.name_bytes for part in parts):
            raise Refused(finding("archive-too-large", reason="a file name is too long"))
        return PurePosixPath(*parts)

    def twin(self, path: PurePosixPath) -> bool:
        """Whether a file of this name, up to case and Unicode form, came before: the first one counts."""
        form = unicodedata.normalize("NFC", str(path)).casefold()
        if form in self.seen:
            return True
        self.seen.add(form)
        return False

    def write(self, source: IO[bytes], target: Path) -> None:
        """Copy a member to `target`, counting. Raises `Refused` at a limit."""
        self.files += 1
        if self.files > self.limits.files:
            raise Refused(finding("archive-too-large", reason=f"it holds over {self.limits.files} files"))
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as stream:
            while chunk := source.read(_CHUNK):
                self.written += len(chunk)
                if self.written > self.limits.total_bytes:
                    size = self.limits.total_bytes / 1e9
                    raise Refused(finding("archive-too-large", reason=f"it unpacks to over {size:g} GB"))
                packed = self.packed_bytes
                if packed is not None and self.written > max(100 * 10**6, self.limits.ratio * packed):
                    raise Refused(finding("archive-too-large", reason="it unpacks to far more than it holds"))
                stream.write(chunk)


def unpack(archive: Path, target: Path, limits: UnpackLimits) -> list[Finding]:
    """Unpack the archive into the empty folder `target`; findings for what was left out.

    Judged by content, not by name. Raises `Refused` with a finding for anything that cannot be taken.
    """
    budget = Budget(limits, packed_bytes=archive.stat().st_size)
    findings = []
    try:
        for name, stream in _members(archive):
            path = budget.path(name)
            if path is None:
                continue
            if budget.twin(path):
                findings.append(finding("duplicate-name", name=str(path)))
                continue
            budget.write(stream, target / path)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        UnicodeError,
        ValueError,
    ) as error:
        reason = _plain_reason(error)
        raise Refused(finding("archive-unreadable", name=archive.name, reason=reason)) from error
    return findings


def _plain_reason(error: Exception) -> str:
    if isinstance(error, RuntimeError) and "password" in str(error):
        return "it is encrypted"
    if isinstance(error, (FileExistsError, NotADirectoryError, IsADirectoryError)):
        return "it holds a file and a folder of the same name"
    return str(error) or type(error).__name__


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each plain file, in the archive's order."""
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    elif tarfile.is_tarfile(archive):
        yield from _tar_members(archive)
    else:
        raise tarfile.ReadError("it is neither a zip nor a tar archive")


def _zip_members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            if info.is_dir():
                continue
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise Refused(finding("unsafe-member", name=info.filename, kind="link or device"))
            with opened.open(info) as stream:
                yield info.orig_filename if "\x00" in info.orig_filename else info.filename, stream


def _tar_members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(archive, mode="r:*") as opened:
        for info in opened:
            if info.isdir():
                continue
            if not info.isreg() or info.issparse() or info.mode & (stat.S_ISUID | stat.S_ISGID):
                raise Refused(finding("unsafe-member", name=info.name, kind="link, device or set-id file"))
            stream = opened.extractfile(info)
            if stream is not None:
                with stream:
                    yield info.name, stream
