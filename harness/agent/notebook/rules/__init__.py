"""One module for each rule that changes a cell before it runs; found by this folder, no list names it.

    TITLE   what the rule does, in the report and in docs/notebooks.md
    ON      whether it is on where the assignment says nothing
    ORDER   optional: below 0 goes before the others, above 0 after them
    LAST    optional: True for a rule that is applied when the images are in place
    apply   (source of a cell, setting) -> source

A rule changes only what it must, and gives the same result for the same cell. Its name is its module's: the assignment
switches it off under `[execution.rules]`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from types import ModuleType


@functools.cache
def rules() -> dict[str, ModuleType]:
    """Every rule by its name, in the order in which they are applied. Raises `TypeError` for a malformed one."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        _check(module.name, loaded)
        found[module.name] = loaded
    return dict(sorted(found.items(), key=lambda item: (getattr(item[1], "ORDER", 0), item[0])))


def _check(name: str, module: ModuleType) -> None:
    if not isinstance(getattr(module, "TITLE", None), str):
        raise TypeError(f"rule {name} has no TITLE")
    if not isinstance(getattr(module, "ON", None), bool):
        raise TypeError(f"rule {name} has no ON")
    if list(inspect.signature(module.apply).parameters) != ["source", "setting"]:
        raise TypeError(f"rule {name} has another signature of apply")
