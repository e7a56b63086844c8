"""Discovers plug-in modules by their folder; no list names them.

Criteria, LMSs and export formats each have such a folder. It is always our own package, never a student's folder. A
module is checked when it is loaded, so that a malformed one is reported at the start of a run.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Any


def modules_of(
    package: str,
    *,
    noun: str,
    function: str,
    parameters: tuple[str, ...],
    check: Callable[[str, Any], None] | None = None,
) -> dict[str, ModuleType]:
    """Every module of the package by name, in alphabetical order.

    Each must have a `TITLE`, the name for people, and the `function` with exactly these `parameters`; `check` gets a
    module's name and the module, and checks the rest. Raises `TypeError`, with `noun` and name, for a malformed module.
    """
    found: dict[str, ModuleType] = {}
    for entry in pkgutil.iter_modules(importlib.import_module(package).__path__):
        module = importlib.import_module(f"{package}.{entry.name}")
        if not isinstance(getattr(module, "TITLE", None), str):
            raise TypeError(f"{noun} {entry.name} has no TITLE")
        if check:
            check(entry.name, module)
        offered = getattr(module, function, None)
        if not callable(offered):
            raise TypeError(f"{noun} {entry.name} has no {function}")
        if tuple(inspect.signature(offered).parameters) != parameters:
            raise TypeError(f"{noun} {entry.name} has another signature of {function}")
        found[entry.name] = module
    return found
