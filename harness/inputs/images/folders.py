"""Lists an instructor's folders of images by file name; nothing is opened.

Links are followed, since they are the instructor's. A student's are not (`harness/agent/dataset/`).
"""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".avif"),
    *(".jp2", ".j2k", ".ppm", ".pgm"),
)
_UNREADABLE = (".heic", ".heif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".jxl", ".psd", ".svg")
_NO_IMAGES = (".txt", ".md", ".csv", ".json", ".xml", ".yaml", ".yml", ".html", ".pdf", ".py", ".ipynb", ".zip")
_LITTER = (  # macOS, Windows, Synology, Python
    *("__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "__pycache__"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
)


def is_litter(name: str) -> bool:
    """Whether a system put a file or folder of this name there, or it is hidden."""
    return name.startswith(".") or name.casefold() in _LITTER


def is_image(name: str) -> bool:
    """Whether a file of this name is an image that can be read."""
    return name.lower().endswith(IMAGE_SUFFIXES) and not is_litter(name)


def class_folders(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Class name, in Unicode's composed form -> image files, both sorted, for a folder with one folder per class."""
    found: dict[str, list[Path]] = defaultdict(list)
    for sub in sorted(folder.iterdir()):
        if sub.is_dir() and not is_litter(sub.name):
            files = sorted(file for file in sub.iterdir() if is_image(file.name))
            found[unicodedata.normalize("NFC", sub.name)] += files
    return {name: tuple(found[name]) for name in sorted(found)}


def images_in(folder: Path) -> tuple[Path, ...]:
    """The image files anywhere below a folder, sorted."""
    return tuple(sorted(file for file in _files(folder) if is_image(file.name) and file.is_file()))


def not_used(folder: Path) -> list[str]:
    """The paths, below the folder, of what may be images and is not used: sorted.

    Images of a form that cannot be read, files of unknown kind, images beside the class folders and in folders
    below them.
    """
    odd = []
    for file in _files(folder):
        path = file.relative_to(folder)
        in_place = len(path.parts) == 2
        plain = file.name.lower()
        if is_image(file.name):
            is_odd = not in_place
        else:
            is_odd = plain.endswith(_UNREADABLE) or (in_place and not plain.endswith(_NO_IMAGES))
        if is_odd:
            odd.append(str(path))
    return sorted(odd)


def listed(files: Sequence[Path | str], folder: Path) -> str:
    """`3 images (ball/1.tif, ball/2.tif, ...)`, with at most five named by their paths below the folder."""
    names = [str(file.relative_to(folder) if isinstance(file, Path) else file) for file in files[:5]]
    more = ", ..." if len(files) > len(names) else ""
    return f"{len(files)} image{'' if len(files) == 1 else 's'} ({', '.join(names)}{more})"


def _files(folder: Path) -> Iterator[Path]:
    """Every file below the folder but litter, through links; a folder that is met again is not entered again."""
    met: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        folders[:] = [] if real in met else sorted(name for name in folders if not is_litter(name))
        if real in met:
            continue
        met.add(real)
        yield from (Path(parent, name) for name in names if not is_litter(name))
