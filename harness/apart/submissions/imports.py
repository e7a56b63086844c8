"""Finds the modules that a notebook's code imports, by reading it as text; it is never run.

It runs outside the sandbox, so it uses neither a parser of Python nor anything that a student's text can control: only
JSON within a limit, and one pattern over the lines of code cells.
"""

from __future__ import annotations

import re
from pathlib import Path

from .code_cells import code_cells

_IMPORT = re.compile(r"^[ \t>]*(?:import|from)[ \t]+([A-Za-z_][\w.]*(?:[ \t]*,[ \t]*[A-Za-z_][\w.]*)*)", re.MULTILINE)


def imported_modules(notebook: Path) -> frozenset[str]:
    """The top-level modules that the code cells import; empty for a file that is not a notebook."""
    found = set[str]()
    for source in code_cells(notebook):
        for match in _IMPORT.finditer(source):
            found |= {name.strip().split(".")[0] for name in match[1].split(",")}
    return frozenset(found)
