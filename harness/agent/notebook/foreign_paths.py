"""Maps paths of another machine to this one: Colab's Drive, a Windows disk, somebody's home folder.

Every such path is mapped into the notebook's own folder. A part of it that was handed in, or that is one of the
assignment's names for the images, is found at any depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

# Prefixes that only another machine has; the rest is kept as a path in the notebook's folder.
_FOREIGN = re.compile(
    r"^(?:"
    r"/content/g?drive/(?:My ?Drive|Shared ?drives/[^/]+|\.shortcut-targets-by-id/[^/]+)(?=/|$)"
    r"|/content(?=/|$)"
    r"|/kaggle/(?:input|working|temp)(?=/|$)"
    r"|(?:[A-Za-z]:|\\\\[^\\/]+)[\\/]+(?:Users[\\/]+[^\\/]+(?=[\\/]|$))?"
    r"|/(?:home|Users)/[^/]+(?=/|$)"
    r"|/(?:mnt|media|data|datasets?|workspace|workdir|storage|gdrive|floyd|notebooks|dbfs|nvdli-data)(?=/|$)"
    r"|~(?=/|$)"
    r")(?![\\/]+\.)"  # not into hidden folders: those are no place for images
)
_DEEPEST_NAME = 6


def is_foreign(path: str) -> bool:
    """Whether the path names a place of another machine."""
    return bool(_FOREIGN.match(path)) and "://" not in path and "\n" not in path


def parts_of(path: str) -> list[str]:
    """The components, divided by either slash, without `.` and empty ones."""
    return [part for part in re.split(r"[\\/]+", path) if part not in ("", ".")]


def local(path: str, here: Path, names: Iterable[str]) -> str:
    """The path, relative to the notebook's folder, that replaces a foreign one.

    The first that applies: the rest after one of the assignment's `names`; the longest end that was handed in; the
    rest after the foreign prefix.
    """
    parts = parts_of(_FOREIGN.sub("", path, count=1)) or ["."]
    whole = parts_of(path)
    for name in sorted(names, key=len, reverse=True):
        wanted = [part.lower() for part in parts_of(name)][-_DEEPEST_NAME:]
        at = _index([part.lower() for part in whole], wanted)
        if at is not None:
            return "/".join([*parts_of(place_of_name(name)), *whole[at + len(wanted) :]])
    for first in range(len(parts)):
        end = "/".join(parts[first:])
        if end not in (".", "..") and (here / end).exists():
            return end
    return "/".join(part for part in parts if part != "..") or "."


def place_of_name(name: str) -> str:
    """The place of the images that the assignment gives under a name: the name itself, or a foreign one mapped here."""
    return "/".join(part for part in parts_of(_FOREIGN.sub("", name, count=1)) if part != "..") or "data"


def _index(parts: list[str], wanted: list[str]) -> int | None:
    """The last index at which `wanted` occurs in `parts`."""
    found = [at for at in range(len(parts) - len(wanted) + 1) if wanted and parts[at : at + len(wanted)] == wanted]
    return found[-1] if found else None
