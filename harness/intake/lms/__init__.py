"""Learning management systems: one module each, found by its place here and checked when it is loaded.

    TITLE   the name for people
    read    (place) -> Reading: nothing unless the names are certainly this LMS's

`read` looks at names, and at files that the LMS itself wrote, never at what a student made.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any


@functools.cache
def readers() -> dict[str, ModuleType]:
    """Every reader by its module's name. Raises `TypeError` for one that is malformed."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        _check(module.name, loaded)
        found[module.name] = loaded
    return found


def _check(name: str, module: Any) -> None:
    if not isinstance(getattr(module, "TITLE", None), str):
        raise TypeError(f"LMS {name} has no TITLE")
    if list(inspect.signature(module.read).parameters) != ["place"]:
        raise TypeError(f"LMS {name} has another signature of read")
