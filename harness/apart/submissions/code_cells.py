"""The code of a notebook, as text, of nbformat 3 and 4."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_LARGEST = 64 * 2**20  # bytes


def code_cells(notebook: Path) -> list[str]:
    """The source of each code cell; none for a file that is no notebook, or is larger than 64 MiB."""
    try:
        if notebook.stat().st_size > _LARGEST:
            return []
        document = json.loads(notebook.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return []
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
