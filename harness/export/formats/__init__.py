"""Forms in which marks leave: one module each, found by its place here and checked when it is loaded.

TITLE   the name for people
files   (results, column) -> file name -> text; `column` is the assignment as the reader calls it
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any


@functools.cache
def formats() -> dict[str, ModuleType]:
    """Every form by its module's name. Raises `TypeError` for one that is malformed."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        _check(module.name, loaded)
        found[module.name] = loaded
    return found


def _check(name: str, module: Any) -> None:
    if not isinstance(getattr(module, "TITLE", None), str):
        raise TypeError(f"export {name} has no TITLE")
    if list(inspect.signature(module.files).parameters) != ["results", "column"]:
        raise TypeError(f"export {name} has another signature of files")
