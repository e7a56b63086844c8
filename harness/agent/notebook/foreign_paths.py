"""Where a path of another machine leads here: Colab's Drive, a Windows disk, somebody's home folder.

Every such path leads into the notebook's own folder. A part of it that was handed in, or under which the
assignment gives the images, is found wherever it stood there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

# Prefixes that name a place which only another machine has; what follows is kept as a path in the notebook's folder.
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
    """The components, whichever slashes divide them, without `.` and empty ones."""
    return [part for part in re.split(r"[\\/]+", path) if part not in ("", ".")]


def local(path: str, here: Path, names: Iterable[str]) -> str:
    """The path relative to the notebook's folder that stands for a foreign one.

    In this order: what follows one of the assignment's `names` in it; its longest end that was handed in;
    what follows the foreign prefix.
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
    """Where the images lie that the assignment gives under a name: the name itself, a foreign one made local."""
    return "/".join(part for part in parts_of(_FOREIGN.sub("", name, count=1)) if part != "..") or "data"


def _index(parts: list[str], wanted: list[str]) -> int | None:
    """Where `wanted` stands in `parts`, the last time."""
    found = [at for at in range(len(parts) - len(wanted) + 1) if wanted and parts[at : at + len(wanted)] == wanted]
    return found[-1] if found else None
