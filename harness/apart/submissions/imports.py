"""Which modules a notebook's code imports: read as text, never run.

Outside the sandbox, so no parser of Python and nothing that a student's text can drive: JSON within a limit,
and one pattern over the lines of code cells.
"""

from __future__ import annotations

import re
from pathlib import Path

from .. import notebook_file
from ..notebook_file import NoNotebook, is_code

_LARGEST = 64 * 2**20  # bytes
_IMPORT = re.compile(r"^[ \t>]*(?:import|from)[ \t]+([A-Za-z_][\w.]*(?:[ \t]*,[ \t]*[A-Za-z_][\w.]*)*)", re.MULTILINE)


def imported_modules(notebook: Path) -> frozenset[str]:
    """The top-level modules that its code cells import; empty for a file that is no notebook."""
    try:
        document = notebook_file.read(notebook, _LARGEST)
    except NoNotebook:
        return frozenset()
    found = set[str]()
    for cell in filter(is_code, notebook_file.cells(document)):
        for match in _IMPORT.finditer(notebook_file.source(cell)):
            found |= {name.strip().split(".")[0] for name in match[1].split(",")}
    return frozenset(found)
