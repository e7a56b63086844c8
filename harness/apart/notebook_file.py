"""Reads the cells of a notebook file and their texts, format 3 and 4. Strict JSON; nothing is run or decoded.

The file is a student's, so only a process with limits may read it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_READ_PLAIN = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
_BEGINNING = 256_000  # bytes

_HALF = re.compile("[\ud800-\udfff]")

Cell = dict[str, Any]


class NoNotebook(Exception):
    """The file cannot be read as a notebook. Message: `missing`, `too-large`, `unreadable` or `not-a-notebook`."""


def read(file: Path, most: int) -> dict[str, Any]:
    """The document in a file of at most `most` bytes. Raises `NoNotebook`; the caller handles `MemoryError`."""
    try:
        if file.stat().st_size > most:
            raise NoNotebook("too-large")
        content = file.read_bytes()
    except OSError:
        raise NoNotebook("missing") from None
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise NoNotebook("unreadable") from None
    if not isinstance(document, dict) or not _parents(document):
        raise NoNotebook("not-a-notebook")
    return document


def cells(document: dict[str, Any]) -> list[Cell]:
    """The document's cells in order; an invalid cell becomes an empty one."""
    return [cell if isinstance(cell, dict) else {} for parent in _parents(document) for cell in parent["cells"]]


def first_cells(file: Path, most: int) -> Iterator[Cell]:
    """The first `most` cells that lie within the first 256 KB, so neither size nor nesting costs anything."""
    try:
        handle = os.open(file, _READ_PLAIN)
        with os.fdopen(handle, "rb") as stream:
            beginning = stream.read(_BEGINNING).decode("utf-8-sig", "replace")
    except OSError:
        return
    begin = re.search(r'"cells"\s*:\s*\[', beginning)
    at = begin.end() if begin else len(beginning)
    decoder = json.JSONDecoder()
    for _ in range(most):
        while beginning[at : at + 1] in (" ", "\n", "\r", "\t", ","):
            at += 1
        try:
            cell, at = decoder.raw_decode(beginning, at)
        except (ValueError, RecursionError):
            return
        if isinstance(cell, dict):
            yield cell


def is_code(cell: Cell) -> bool:
    """Whether it is a code cell."""
    return cell.get("cell_type") == "code"


def source(cell: Cell) -> str:
    """The cell's source."""
    return text(cell.get(source_key(cell)))


def source_key(cell: Cell) -> str:
    """The key of the cell's source; format 3 calls code `input`."""
    return "source" if "source" in cell or "input" not in cell else "input"


def outputs(cell: Cell) -> list[dict[str, Any]]:
    """The cell's outputs."""
    return [output for output in listed(cell.get("outputs")) if isinstance(output, dict)]


def text(value: object) -> str:
    """A notebook's text: a string, or a list of them; half characters (`\\ud83d` alone) become U+FFFD."""
    whole = value if isinstance(value, str) else "".join(part for part in listed(value) if isinstance(part, str))
    return _HALF.sub("\ufffd", whole)


def listed(value: object) -> list[Any]:
    """A value that should be a list; empty for anything else."""
    return value if isinstance(value, list) else []


def _parents(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that have cells: the document, or in format 3 its sheets."""
    return [
        parent
        for parent in (document, *listed(document.get("worksheets")))
        if isinstance(parent, dict) and isinstance(parent.get("cells"), list)
    ]
