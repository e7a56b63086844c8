"""Reads the code of a notebook as text, nbformat 3 and 4."""

from __future__ import annotations

from pathlib import Path

from .. import notebook_file
from ..notebook_file import NoNotebook, is_code

_LARGEST = 64 * 2**20  # bytes


def code_cells(notebook: Path) -> list[str]:
    """The source of each code cell; empty for a file that is not a notebook, or is larger than 64 MiB."""
    try:
        document = notebook_file.read(notebook, _LARGEST)
    except NoNotebook:
        return []
    return [notebook_file.source(cell) for cell in filter(is_code, notebook_file.cells(document))]
