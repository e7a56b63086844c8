"""labels.txt of a data set with boxes."""

from __future__ import annotations

from .encodings import text_of
from .walk import Tree

_MOST_BYTES = 64 * 1024


def listed(files: Tree) -> tuple[str, ...] | None:
    """The classes of the labels.txt that lies nearest to the top; None without one."""
    found = [file for file in files.ending(".txt") if file.name.lower() == "labels.txt"]
    if not found:
        return None
    nearest = min(found, key=lambda file: len(file.parts))
    if nearest.stat().st_size > _MOST_BYTES:
        return None
    lines = text_of(nearest.read_bytes()).splitlines()
    return tuple(line.strip() for line in lines if line.strip())
