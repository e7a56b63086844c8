"""Learning management systems: one module each, found by its place here and checked when it is loaded.

    TITLE   the name for people
    read    (place) -> Reading: nothing unless the names are certainly this LMS's

`read` looks at names, and at files that the LMS itself wrote, never at what a student made.
"""

from __future__ import annotations

import functools
from types import ModuleType

from harness.plugins import modules_of


@functools.cache
def readers() -> dict[str, ModuleType]:
    """Every reader by its module's name. Raises `TypeError` for one that is malformed."""
    return modules_of(__name__, noun="LMS", function="read", parameters=("place",))
