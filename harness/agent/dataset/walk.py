"""The files of a data set: plain files only, in one order, within limits."""

from __future__ import annotations

import os
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from ..images.listing import IMAGE_SUFFIXES, is_litter
from .image import Unreadable

# Those that cannot be read count as images, so that they are named and not passed over.
IMAGES = (*IMAGE_SUFFIXES, *(".heic", ".heif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".jxl", ".psd"))
_MOST_FILES = 100_000
_DEEPEST = 32  # folders


@dataclass(frozen=True, slots=True)
class Tree:
    """`files`: those below `root`, sorted, without hidden ones. `odd`: how many were left out as not plain files."""

    root: Path
    files: tuple[Path, ...]
    odd: int = 0

    def images(self) -> list[Path]:
        """The files with an image's suffix."""
        return [file for file in self.files if file.suffix.lower() in IMAGES]

    def ending(self, *suffixes: str) -> list[Path]:
        return [file for file in self.files if file.suffix.lower() in suffixes]


def folded(name: str) -> str:
    """A file's name as it is compared: macOS takes accents apart, Windows does not tell case apart."""
    return unicodedata.normalize("NFC", name).lower()


def tree(root: Path) -> Tree:
    """Every plain file below `root`. Raises `Unreadable` for more than 100,000."""
    found: list[Path] = []
    odd = 0
    for parent, folders, names in os.walk(root):
        depth = len(Path(parent).relative_to(root).parts)
        folders[:] = sorted(name for name in folders if not _is_hidden(name) and depth < _DEEPEST)
        odd += sum(Path(parent, name).is_symlink() for name in folders)  # `walk` does not enter these
        for name in sorted(names):
            if _is_hidden(name):
                continue
            kind = os.lstat(os.path.join(parent, name)).st_mode  # noqa: PTH118 - 100,000 of them
            if stat.S_ISREG(kind):
                found.append(Path(parent, name))
            else:
                odd += 1
        if len(found) > _MOST_FILES:
            raise Unreadable(f"it holds more than {_MOST_FILES:,} files")
    return Tree(root, tuple(found), odd)


def inner(root: Path) -> Path:
    """The first folder, from `root` down, with a file or several folders: skips wrappers like `dataset/dataset/`."""
    for _ in range(_DEEPEST):
        entries = [entry for entry in sorted(root.iterdir()) if not _is_hidden(entry.name)]
        if len(entries) != 1 or not entries[0].is_dir() or entries[0].is_symlink():
            return root
        within = [entry for entry in entries[0].iterdir() if not _is_hidden(entry.name)]
        if not any(entry.is_dir() for entry in within):
            return root  # the one folder is a class
        root = entries[0]
    return root


def _is_hidden(name: str) -> bool:
    return is_litter(name)
