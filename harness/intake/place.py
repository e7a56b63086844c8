"""Where hand-ins lie, seen by names: a folder, or an archive as an LMS makes it for a whole class."""

from __future__ import annotations

import functools
import os
import stat
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.errors import UsageError
from harness.findings import Finding, finding
from harness.intake.archives import Budget, Refused, UnpackLimits, refusing
from harness.intake.folders import copy_file, copy_folder

_MOST_MEMBERS = 2_000_000  # of an archive for a whole class


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A file or folder at one level. A link is never a folder."""

    name: str
    is_folder: bool
    is_link: bool = False


class Place(Protocol):
    """A folder or archive that holds the hand-ins of a class. Paths are relative and use `/`."""

    name: str

    def entries(self, folder: str = "") -> tuple[Entry, ...]:
        """What lies in the folder, sorted by name; nothing for what is no folder."""
        ...

    def text(self, path: str, limit: int) -> str:
        """The first `limit` bytes of a file as UTF-8, replacing what is not; empty when it cannot be read."""
        ...

    def copy(self, path: str, target: Path, limits: UnpackLimits) -> list[Finding]:
        """Copy a file to `target`, or a folder's content below it. Raises `Refused`."""
        ...

    def on_disk(self, path: str) -> Path | None:
        """Where the path lies as a file or folder of its own; None inside an archive."""
        ...


class FolderPlace:
    """A folder on this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.name = root.absolute().name

    def entries(self, folder: str = "") -> tuple[Entry, ...]:
        path = self._root / folder
        try:
            if path.is_symlink() and folder:
                return ()
            with os.scandir(path) as found:
                return tuple(
                    sorted(Entry(one.name, one.is_dir(follow_symlinks=False), one.is_symlink()) for one in found)
                )
        except OSError:
            return ()

    def text(self, path: str, limit: int) -> str:
        try:
            handle = os.open(self._root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return ""
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return ""
            return stream.read(limit).decode("utf-8-sig", "replace")

    def copy(self, path: str, target: Path, limits: UnpackLimits) -> list[Finding]:
        source = self._root / path
        if source.is_symlink():
            raise Refused(finding("unsafe-member", name=source.name, kind="link"))
        try:
            if source.is_dir():
                return copy_folder(source, target, limits)
        except OSError as error:  # of the folder itself; what lies in it has findings of its own
            reason = error.strerror or "unreadable"
            raise Refused(finding("file-unreadable", name=source.name, reason=reason)) from error
        return copy_file(source, target, limits)

    def on_disk(self, path: str) -> Path | None:
        return self._root / path


class ArchivePlace:
    """A zip with the hand-ins of a class. Each hand-in is unpacked under limits of its own."""

    def __init__(self, file: Path) -> None:
        """Raises `UsageError` for a file that is no zip, or holds more than anyone's class does."""
        self.name = file.stem
        self._file = file
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
            raise UsageError(
                f"{file}: cannot be read as a zip: {error}", "download it again, or give the unpacked folder"
            ) from error
        if len(self._zip.infolist()) > _MOST_MEMBERS:
            raise UsageError(f"{file}: holds over {_MOST_MEMBERS} files", "give a folder with one class")

    @functools.cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo]:
        """Path -> member, plain files only; Windows' separators are read as such."""
        paths = ((_slashes(info.filename), info) for info in self._zip.infolist())
        return {path: info for path, info in paths if not path.endswith("/")}

    @functools.cached_property
    def _below_top(self) -> dict[str, list[str]]:
        """Top-level name -> paths of the files below it."""
        below = defaultdict(list)
        for path in self._members:
            below[path.partition("/")[0]].append(path)
        return below

    @functools.cached_property
    def _tree(self) -> dict[str, set[Entry]]:
        tree: dict[str, set[Entry]] = defaultdict(set)
        paths = (_slashes(info.filename) for info in self._zip.infolist())
        folders = [path.rstrip("/") for path in paths if path.endswith("/")]
        for path in self._members:
            parent, _, name = path.rpartition("/")
            tree[parent].add(Entry(name, is_folder=False))
            folders.append(parent)
        seen = set()
        for folder in folders:
            while folder and folder not in seen:
                seen.add(folder)
                parent, _, name = folder.rpartition("/")
                tree[parent].add(Entry(name, is_folder=True))
                folder = parent
        return tree

    def entries(self, folder: str = "") -> tuple[Entry, ...]:
        return tuple(sorted(self._tree.get(folder, ())))

    def text(self, path: str, limit: int) -> str:
        info = self._members.get(path)
        if info is None:
            return ""
        try:
            with self._zip.open(info) as stream:
                return stream.read(limit).decode("utf-8-sig", "replace")
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError):
            return ""

    def copy(self, path: str, target: Path, limits: UnpackLimits) -> list[Finding]:
        if path in self._members:
            chosen = {"": self._members[path]}
        else:
            inside = [name for name in self._below_top.get(path.partition("/")[0], ()) if name.startswith(f"{path}/")]
            chosen = {name[len(path) + 1 :]: self._members[name] for name in inside}
        packed = sum(info.compress_size for info in chosen.values())
        try:
            with refusing():
                return self._unpack(chosen, target, Budget(limits, packed_bytes=packed))
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise Refused(finding("archive-unreadable", name=path or self._file.name, reason=reason)) from error

    def _unpack(self, chosen: dict[str, zipfile.ZipInfo], target: Path, budget: Budget) -> list[Finding]:
        """The members by their path below `target`; the empty path is `target` itself."""
        findings = []
        for name, info in chosen.items():
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
                findings.append(finding("unsafe-member", name=name or info.filename, kind="link or device"))
                continue
            below = budget.path(name) if name else None
            if name and below is None:
                continue
            if below is not None and budget.twin(below):
                findings.append(finding("duplicate-name", name=str(below)))
                continue
            budget.entry()
            with self._zip.open(info) as stream:
                budget.write(stream, target / below if below is not None else target)
        return findings

    def on_disk(self, path: str) -> Path | None:
        return None


def _slashes(name: str) -> str:
    """The member's path with `/`: some Windows programs write `\\` only, against the specification."""
    return name if "/" in name else name.replace("\\", "/")
