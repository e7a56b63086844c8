"""Lays one unpacked folder over another. Both hold plain files that we wrote; nothing is opened."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path


def one_form(name: str) -> str:
    """The name as file systems compare it that ignore case and Unicode's form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def merge(source: Path, target: Path) -> list[str]:
    """Move every file of `source` to its place below `target` and remove `source`.

    Returns the paths of files that were there already, or that a file or folder of that name hinders: at most ten.
    """
    seen = {one_form(str(path.relative_to(target))) for path in target.rglob("*") if path.is_file()}
    left: list[str] = []
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        path = file.relative_to(source)
        try:
            if one_form(str(path)) in seen:
                raise FileExistsError
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            if (target / path).exists():  # a folder, which `rename` would replace or refuse
                raise FileExistsError
            file.rename(target / path)
        except (FileExistsError, NotADirectoryError):
            left.append(str(path))
    shutil.rmtree(source)
    return left[:10]


def only_folder(root: Path) -> Path:
    """The folder with the files: below a folder that holds one folder and nothing else, the next one."""
    for _ in range(4):
        entries = list(root.iterdir())
        if len(entries) != 1 or not entries[0].is_dir():
            return root
        root = entries[0]
    return root
