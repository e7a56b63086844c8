"""Lists a zip with the submissions of a whole class, as an LMS makes it, and unpacks single submissions."""

from __future__ import annotations

import functools
import os
import zipfile
from collections import defaultdict
from pathlib import Path

from .archive import stopping_at_damage
from .budget import Budget
from .noticed import Noticed, Stopped
from .zip_file import check_overlap, directory_bytes, unpack_members

_DIRECTORY = 128 << 20  # bytes of the list of members
_MOST_MEMBERS = 500_000
_PAGE_BYTES = 500_000  # of names in one answer; JSON may double them


class ClassZip:
    """The zip, with its members by path. Windows' separators are understood."""

    def __init__(self, file: Path) -> None:
        """Raises `Stopped` for a file that is not a zip, or has more members than any class needs."""
        self.name = file.name
        with stopping_at_damage(file.name):
            if directory_bytes(file) > _DIRECTORY:
                raise Stopped("archive-too-large", reason=f"it holds over {_MOST_MEMBERS} files")
            self.zip = zipfile.ZipFile(file)
            infos = self.zip.infolist()
            if len(infos) > _MOST_MEMBERS:
                raise Stopped("archive-too-large", reason=f"it holds over {_MOST_MEMBERS} files")
            check_overlap(infos, self.zip.start_dir)
        paths = [(_slashes(info.filename), info) for info in infos]
        self.members = {path: info for path, info in paths if not path.endswith("/")}
        self._folders = [path.rstrip("/") for path, _ in paths if path.endswith("/")]

    @functools.cached_property
    def _below_top(self) -> dict[str, list[str]]:
        """Top-level name -> paths of the files below it."""
        below = defaultdict(list)
        for path in self.members:
            below[path.partition("/")[0]].append(path)
        return below

    @functools.cached_property
    def _tree(self) -> dict[str, list[tuple[str, bool]]]:
        """Folder -> sorted (name, whether it is a folder) of its entries."""
        tree: dict[str, set[tuple[str, bool]]] = defaultdict(set)
        folders = list(self._folders)
        for path in self.members:
            parent, _, name = path.rpartition("/")
            tree[parent].add((name, False))
            folders.append(parent)
        seen = set()
        for folder in folders:
            while folder and folder not in seen:
                seen.add(folder)
                parent, _, name = folder.rpartition("/")
                tree[parent].add((name, True))
                folder = parent
        return {folder: sorted(entries) for folder, entries in tree.items()}

    def listed(self, folder: str, start: int) -> tuple[list[tuple[str, bool]], bool]:
        """The folder's entries from the `start`-th on, and whether there are more."""
        entries = self._tree.get(folder, [])
        page: list[tuple[str, bool]] = []
        size = 0
        for entry in entries[start:]:
            size += 6 * len(entry[0]) + 16
            if page and size > _PAGE_BYTES:
                return page, True
            page.append(entry)
        return page, False

    def unpack(self, path: str, target: Path, budget: Budget) -> list[Noticed]:
        """Unpack a file to `target`, or a folder's content into it; return what was left out.

        Raises `Stopped`, `OutOfRoom`.
        """
        with stopping_at_damage(self.name):
            if path in self.members:
                info = self.members[path]
                budget.packed_bytes = info.compress_size
                return unpack_members(self.zip, [(target.name, info)], target.parent, budget)
            inside = [name for name in self._below_top.get(path.partition("/")[0], ()) if name.startswith(f"{path}/")]
            chosen = [(name[len(path) + 1 :], self.members[name]) for name in inside]
            budget.packed_bytes = sum(info.compress_size for _, info in chosen)
            return unpack_members(self.zip, chosen, target, budget)


@functools.lru_cache(maxsize=1)
def _opened(file: str, size: int, changed: int) -> ClassZip:
    return ClassZip(Path(file))


def opened(file: str) -> ClassZip:
    """The zip, kept open for the next request. Raises `Stopped`."""
    with stopping_at_damage(os.path.basename(file)):  # noqa: PTH119 - a name that may be no UTF-8
        if not Path(file).is_file():  # opening a FIFO would wait for somebody to write to it
            raise ValueError("it is no plain file")
        found = Path(file).stat()
    return _opened(file, found.st_size, found.st_mtime_ns)


def _slashes(name: str) -> str:
    """The member's path with `/`: some Windows programs write `\\`, against the specification."""
    return name.replace("\\", "/")
