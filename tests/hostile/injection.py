"""Faults on purpose: which functions of the harness work on one submission's data, and how to make one of them raise.

A call is one submission's when an argument speaks of it, and none of another alone, or when a call that it is part of
is. What is seen here is what runs: nothing lists functions.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache, partial
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np
from pydantic import BaseModel

import harness
from harness.boundary import one_by_one
from harness.grading import first_pages
from harness.grading.context import RunContext
from harness.grading.first_pages import FirstPages
from harness.report import UnfinishedPages
from harness.stages.store import Store

PACKAGE = str(Path(harness.__file__).parent) + "/"
_NOT_OURS = (PACKAGE + "agent/", one_by_one.__file__)  # the guard itself cannot be guarded
_OF_THE_RUN = (RunContext, Store, FirstPages, UnfinishedPages)  # they are of all submissions, and large
_DEEPEST = 7


class Marked:
    """Tells what speaks of the submission `marker`, and of none of the others."""

    def __init__(self, marker: str, others: tuple[str, ...]) -> None:
        self.marker, self.others = marker, others
        self._frames: dict[FrameType, bool | None] = {}
        self._known: dict[int, tuple[object, frozenset[str]]] = {}  # a frozen value's id -> itself, and what it says

    def are_its(self, values: Iterable[object]) -> bool | None:
        """Whether one of the values speaks of it alone; False where one speaks of others only, None of nobody."""
        said = [set(self._said(value, 0)) for value in values]
        if any(tokens and self.marker not in tokens for tokens in said):
            return False
        return True if {self.marker} in said else None

    def has(self, frame: FrameType) -> bool | None:
        """Whether the outermost call that is anybody's, of those that this one is part of and itself, is the marked
        one's: what is done on another's page with its name is done for the other. None when it is nobody's.

        False for what a page takes that is written meanwhile: the same is done again at the end, and that decides.
        """
        calls: list[FrameType] = []
        walk: FrameType | None = frame
        while walk is not None:
            if walk.f_code.co_filename == first_pages.__file__:
                return False
            if _is_ours(walk.f_code):
                calls.append(walk)
            walk = walk.f_back
        for call in reversed(calls):
            if call not in self._frames:
                self._frames[call] = self.are_its(_arguments(call))
            if (its := self._frames[call]) is not None:
                return its
        return None

    def forget(self) -> None:
        self._frames.clear()
        self._known.clear()

    def _said(self, value: object, depth: int) -> Iterator[str]:
        """Which submissions the value speaks of, in its texts, paths and parts."""
        if depth > _DEEPEST or value is None or isinstance(value, (int, float, np.ndarray, type, *_OF_THE_RUN)):
            return
        if isinstance(value, (str, Path)):
            text = str(value)
            yield from (token for token in (self.marker, *self.others) if token in text)
        elif isinstance(value, BaseModel) or (is_dataclass(value) and not isinstance(value, type)):
            yield from self._said_by_record(value, depth)
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from self._said(key, depth + 1)
                yield from self._said(item, depth + 1)
        elif isinstance(value, (tuple, list, set, frozenset)):
            for item in value:
                yield from self._said(item, depth + 1)
        elif isinstance(value, partial):
            yield from self._said((value.args, value.keywords, value.func), depth + 1)
        elif isinstance(value, FunctionType):
            for cell in value.__closure__ or ():
                try:
                    yield from self._said(cell.cell_contents, depth + 1)
                except ValueError:  # an empty cell
                    continue
        elif type(value).__module__.startswith("harness.") and hasattr(value, "__dict__"):
            yield from self._said(vars(value), depth + 1)

    def _said_by_record(self, value: Any, depth: int) -> Iterator[str]:
        """What its fields say. Of a frozen record this is asked thousands of times, and looked up once."""
        if known := self._known.get(id(value)):
            yield from known[1]
            return
        if isinstance(value, BaseModel):
            names, frozen = list(type(value).model_fields), bool(value.model_config.get("frozen"))
        else:
            names, frozen = [field.name for field in fields(value)], value.__dataclass_params__.frozen
        said = frozenset(token for name in names for token in self._said(getattr(value, name, None), depth + 1))
        if frozen:
            self._known[id(value)] = (value, said)
        yield from said


@cache
def _is_ours(code: CodeType) -> bool:
    file = code.co_filename
    return file.startswith(PACKAGE) and file.endswith(".py") and not file.startswith(_NOT_OURS)


def _arguments(frame: FrameType) -> list[object]:
    code, here = frame.f_code, frame.f_locals
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    return [here[name] for name in code.co_varnames[:count] if name in here]


@contextmanager
def recorded(marked: Marked, found: dict[CodeType, bool]) -> Iterator[None]:
    """Meanwhile every function of the harness that is called for the marked submission is put into `found`; with it,
    whether what the guard called itself."""

    def on_event(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or not _is_ours(code) or code in found or not marked.has(frame):
            return
        callers = [frame.f_back, frame.f_back and frame.f_back.f_back]  # a closure may stand between
        found[code] = any(caller and caller.f_code.co_filename == one_by_one.__file__ for caller in callers)

    threading.setprofile(on_event)
    sys.setprofile(on_event)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        marked.forget()


def functions_of(codes: set[CodeType]) -> dict[str, FunctionType]:
    """Name -> function, for all that a module or a class holds; what is defined inside a function goes with that."""
    found = {}
    for value in gc.get_objects():
        if isinstance(value, FunctionType) and value.__code__ in codes and "<" not in value.__qualname__:
            found[f"{value.__module__}.{value.__qualname__}"] = value
    return dict(sorted(found.items()))


_hooks: dict[str, Callable[..., Any]] = {}


@contextmanager
def raising(name: str, function: FunctionType, error: Exception, marked: Marked, hit: list[str]) -> Iterator[None]:
    """Meanwhile the function raises when it is called for the marked submission, wherever it is referred to."""
    original = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    original.__kwdefaults__ = function.__kwdefaults__

    def hook(*args: Any, **kwargs: Any) -> Any:
        its = marked.has(sys._getframe(1))
        if its or (its is None and marked.are_its((*args, kwargs))):
            hit.append(name)
            raise error
        return original(*args, **kwargs)

    _hooks[name] = hook
    code = function.__code__
    function.__code__ = _calling(name, len(code.co_freevars))
    try:
        yield
    finally:
        function.__code__ = code
        marked.forget()


def _calling(name: str, free: int) -> CodeType:
    """Code that hands its arguments to the hook; with as many free variables as what it replaces."""
    variables = "".join(f"    v{i} = None\n" for i in range(free))
    used = ", ".join(f"v{i}" for i in range(free))
    source = (
        f"def outer():\n{variables}    def inner(*args, **kwargs):\n        ({used})\n"
        f"        return __import__('injection')._hooks[{name!r}](*args, **kwargs)\n    return inner\n"
    )
    space: dict[str, Any] = {}
    exec(source, space)
    made: CodeType = space["outer"]().__code__
    return made
