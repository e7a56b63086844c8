"""A place with submissions, listed by name: a folder, or an LMS's archive of a whole class."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from harness.apart.submissions.budget import as_text
from harness.errors import UsageError
from harness.findings import finding
from harness.inputs.submissions.archives import Refused, Spent, Unpacked, UnpackLimits
from harness.inputs.submissions.child import Children, Unreadable, path_text
from harness.inputs.submissions.folders import copy_file, copy_folder

_MOST_ENTRIES = 100_000  # of one folder


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A file or folder at one level. A link is never a folder."""

    name: str
    is_folder: bool
    is_link: bool = False


class Place(Protocol):
    """A folder or archive that holds the submissions of a class. Paths are relative and use `/`."""

    name: str

    def entries(self, folder: str = "") -> tuple[Entry, ...]:
        """The folder's entries, sorted by name, at most 100,000; empty if it is not a folder."""
        ...

    def ask(self, what: str, path: str, **more: object) -> object:
        """Read a file in another process; `what` as in `apart/submissions/serve.py`. Raises `Unreadable`."""
        ...

    def copy(self, path: str, target: Path, limits: UnpackLimits, spent: Spent) -> Unpacked:
        """Copy a file to `target`, or a folder's content below it. Raises `Refused`."""
        ...

    def on_disk(self, path: str) -> Path | None:
        """The path on this machine's disk; None inside an archive."""
        ...


class FolderPlace:
    """A folder on this machine."""

    def __init__(self, root: Path, children: Children) -> None:
        self._root, self._children = root, children
        self.name = as_text(root.absolute().name)

    def entries(self, folder: str = "") -> tuple[Entry, ...]:
        path = self._root / folder
        try:
            if path.is_symlink() and folder:
                return ()
            with os.scandir(path) as found:
                some = islice(found, _MOST_ENTRIES)
                return tuple(
                    sorted(Entry(one.name, one.is_dir(follow_symlinks=False), one.is_symlink()) for one in some)
                )
        except OSError:
            return ()

    def ask(self, what: str, path: str, **more: object) -> object:
        return self._children.ask(what, file={"path": path_text(self._root.absolute() / path)}, **more)

    def copy(self, path: str, target: Path, limits: UnpackLimits, spent: Spent) -> Unpacked:
        source = self._root / path
        if source.is_symlink():
            raise Refused(finding("unsafe-member", name=source.name, kind="link"))
        try:
            if source.is_dir():
                return copy_folder(source, target, limits, spent)
        except OSError as error:  # of the folder itself; its entries get their own findings
            reason = error.strerror or "unreadable"
            raise Refused(finding("file-unreadable", name=source.name, reason=reason)) from error
        return copy_file(source, target, limits, spent)

    def on_disk(self, path: str) -> Path | None:
        return self._root / path


class ArchivePlace:
    """A zip with the submissions of a class, read by another process. Each is unpacked under its own limits."""

    def __init__(self, file: Path, children: Children) -> None:
        """Raises `UsageError` for a file that is not a zip, or has more members than any class needs."""
        self.name = as_text(file.stem)
        self._file, self._zip, self._children = file, path_text(file.absolute()), children
        self._listed = functools.cache(self._list)
        self._listed("")

    def _list(self, folder: str) -> tuple[Entry, ...]:
        entries: list[Entry] = []
        more = True
        try:
            while more and len(entries) < _MOST_ENTRIES:
                page = self._children.ask("list", zip=self._zip, folder=folder, start=len(entries))
                found, more = _page(page)
                entries += found
        except (Unreadable, Refused) as error:
            reason = error.finding.message if isinstance(error, Refused) else str(error)
            raise UsageError(
                f"{self._file}: cannot be read as a zip: {reason}", "download it again, or give the unpacked folder"
            ) from error
        return tuple(sorted(entries))

    def entries(self, folder: str = "") -> tuple[Entry, ...]:
        try:
            return self._listed(folder)
        except UsageError:  # it was readable a moment ago
            return ()

    def ask(self, what: str, path: str, **more: object) -> object:
        try:
            return self._children.ask(what, file={"zip": self._zip, "member": path}, **more)
        except Refused as refused:
            raise Unreadable(refused.finding.message) from refused

    def copy(self, path: str, target: Path, limits: UnpackLimits, spent: Spent) -> Unpacked:
        folder = path_text(target.absolute())
        return self._children.unpack("unpack member", limits, spent, zip=self._zip, member=path, folder=folder)

    def on_disk(self, path: str) -> Path | None:
        return None


def _page(page: object) -> tuple[list[Entry], bool]:
    """The entries of one answer, and whether there are more. Raises `Unreadable`."""
    listed = page.get("entries") if isinstance(page, dict) else None
    if not isinstance(page, dict) or not isinstance(listed, list):
        raise Unreadable("it broke the program that reads it")
    entries = [Entry(name, is_folder is True) for name, is_folder in listed if isinstance(name, str)]
    return entries, bool(page.get("more")) and bool(entries)
