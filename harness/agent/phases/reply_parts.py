"""Divides a long list of a reply into files that the harness reads: each within the limits of its bounded JSON."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_BYTES = 800_000  # of one file: the harness reads at most 1 MiB
_MOST_VALUES = 40_000  # in one file: the harness reads at most 50,000, keys included
_MOST_ROWS = 1_000


def in_parts(rows: Sequence[str]) -> list[list[str]]:
    """The rows, each one JSON text, in order; none may exceed a file's limits by itself."""
    parts: list[list[str]] = []
    size = values = 0
    for row in rows:
        more = row.count(",") + row.count(":") + 1
        is_full = parts and len(parts[-1]) == _MOST_ROWS
        if not parts or is_full or size + len(row) > _MOST_BYTES or values + more > _MOST_VALUES:
            parts.append([])
            size = values = 0
        parts[-1].append(row)
        size += len(row) + 2
        values += more
    return parts
