"""Which modules a notebook's code imports: read as text, never run.

Outside the sandbox, so no parser of Python and nothing that a student's text can drive: JSON within a limit,
and one pattern over the lines of code cells.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_LARGEST = 64 * 2**20  # bytes
_IMPORT = re.compile(r"^[ \t>]*(?:import|from)[ \t]+([A-Za-z_][\w.]*(?:[ \t]*,[ \t]*[A-Za-z_][\w.]*)*)", re.MULTILINE)


def imported_modules(notebook: Path) -> frozenset[str]:
    """The top-level modules that its code cells import; empty for a file that is no notebook."""
    try:
        if notebook.stat().st_size > _LARGEST:
            return frozenset()
        document = json.loads(notebook.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return frozenset()
    found = set[str]()
    for source in _code(document):
        for match in _IMPORT.finditer(source):
            found |= {name.strip().split(".")[0] for name in match[1].split(",")}
    return frozenset(found)


def _code(document: Any) -> list[str]:
    """The source of each code cell, of nbformat 3 and 4."""
    if not isinstance(document, dict):
        return []
    sheets = document.get("worksheets")  # nbformat 3
    parents = [document, *(sheets if isinstance(sheets, list) else [])]
    cells = [cell for parent in parents if isinstance(parent, dict) for cell in _list(parent.get("cells"))]
    sources = []
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            lines = source if isinstance(source, list) else [source]
            sources.append("".join(line for line in lines if isinstance(line, str)))
    return sources


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
