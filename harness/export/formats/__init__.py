"""Forms in which marks leave: one module each, found by its place here and checked when it is loaded.

TITLE   the name for people
files   (results, column) -> file name -> text; `column` is the assignment as the reader calls it
"""

from __future__ import annotations

import functools
from types import ModuleType

from harness.discovery import modules_of


@functools.cache
def formats() -> dict[str, ModuleType]:
    """Every form by its module's name. Raises `TypeError` for one that is malformed."""
    return modules_of(__name__, noun="export", function="files", parameters=("results", "column"))
