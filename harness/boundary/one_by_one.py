"""Does something for each of many submissions, so that an error with one never affects the others.

An exception while working on one submission is a defect of ours, whatever the submission holds: it is recorded, that
submission waits for a person, and the others go on. Only trouble of the machine ends a run.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from harness.errors import MACHINES_OWN, AssignmentError, EnvironmentMissing, MachineError, RunStopped
from harness.findings import KINDS, Finding

_PACKAGE = Path(__file__).parents[1]
_OTHERS = 5  # other submissions that each of a pair is tried with
_FRAMES = 40  # of a traceback, the innermost
_SAID_CHARACTERS = 2_000

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Defect:
    """A failure of the harness while working on one submission."""

    what: str  # the task that failed
    where: str  # place in our code, and the exception's type; not its message, which may quote the submission
    log: str  # the traceback, for the instructor

    @property
    def reason(self) -> str:
        """The sentence for the student, made without code that may have failed, as in `finding`."""
        return f"The harness failed in {self.what}."

    @property
    def finding(self) -> Finding:
        """The finding that replaces a result, made without any function that may have failed."""
        kind = KINDS["harness-defect"]
        message = kind.wording.format(reason=f"{self.what}: {self.where}")
        return Finding(code="harness-defect", severity=kind.severity, message=message)


def attempt(what: str, do: Callable[[], T]) -> T | Defect:
    """The result of `do`, or the defect if it raised. `what` names the task in the finding: `marking`.

    Raises `MachineError` when the machine cannot go on, and `RunStopped`.
    """
    try:
        return do()
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic in a Rust library is not an `Exception`
        return defect(what, error)


def defect(what: str, error: BaseException) -> Defect:
    """The exception as a defect. Those that end the run are raised again: the user's, the course's, the machine's.

    An `OSError` is the machine's only if no submission's content can cause it. A name that is too long or in another
    encoding, a loop of links, or an unreadable file is trouble with that submission.
    """
    if isinstance(error, (RunStopped, AssignmentError, MachineError)) and not isinstance(error, EnvironmentMissing):
        raise error
    if isinstance(error, OSError) and error.errno in MACHINES_OWN:
        raise MachineError(f"{what}: {error}", "make room on the disk, or see what ails the machine") from error
    log = "".join(traceback.format_tb(error.__traceback__, -_FRAMES)) + _said(error)
    return Defect(what, _where(error), log)


def for_each(what: str, items: Iterable[T], do: Callable[[T], R], otherwise: Callable[[T, Defect], R]) -> list[R]:
    """The result of `do` for each item, or of `otherwise` for an item on which `do` raised."""
    results = []
    for item in items:
        done = attempt(what, partial(do, item))
        results.append(otherwise(item, done) if isinstance(done, Defect) else done)
    return results


def together(what: str, items: Sequence[T], do: Callable[[list[T]], R]) -> tuple[R, dict[int, Defect]]:
    """The result of `do` for all items at once, without those on which it fails; and the defects, by index.

    The failing items are found by trying shorter and shorter parts, with about 2 log n tries each. `do` must not fail
    for an empty list. Raises what `do` raises for an empty list, and as `attempt` does.
    """
    left_out: dict[int, Defect] = {}
    while True:
        kept = [index for index in range(len(items)) if index not in left_out]
        done = _tried(what, items, kept, do)
        if not isinstance(done, Defect):
            return done, left_out
        if not kept:
            raise RuntimeError(f"{what} fails for no submission at all:\n{done.log}")
        for index in _to_blame(what, items, kept, do):
            left_out[index] = done


def _to_blame(what: str, items: Sequence[T], kept: list[int], do: Callable[[list[T]], R]) -> set[int]:
    """The indices of items to blame for a failure of `do`: one, or two that fail only together.

    Of such two, the one that also fails with more of some other items; both if neither does, or both do equally.
    """

    def fails(indices: list[int]) -> bool:
        return isinstance(_tried(what, items, indices, do), Defect)

    last = kept[_shortest(len(kept), lambda n: fails(kept[:n])) - 1]
    if fails([last]):
        return {last}
    before = kept[: kept.index(last)]
    partner = before[_shortest(len(before), lambda n: fails([*before[:n], last])) - 1]
    if fails([partner]):
        return {partner}
    others = [index for index in kept if index not in (last, partner)]
    some = others[:: max(1, len(others) // _OTHERS)][:_OTHERS]
    lasts, partners = (sum(fails(sorted((one, other))) for other in some) for one in (last, partner))
    return {partner, last} if lasts == partners else {last if lasts > partners else partner}


def _shortest(longest: int, fails: Callable[[int], bool]) -> int:
    """The smallest n with `fails(n)`; `fails(longest)` is known to hold."""
    low, high = 1, longest
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fails(middle) else (middle + 1, high)
    return high


def _tried(what: str, items: Sequence[T], indices: list[int], do: Callable[[list[T]], R]) -> R | Defect:
    return attempt(what, lambda: do([items[index] for index in indices]))


def _where(error: BaseException) -> str:
    """`KeyError in grade/rubric.py, line 12`: the innermost frame in our code."""
    ours = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_PACKAGE)
    ]
    name = type(error).__name__
    if not ours:
        return name
    return f"{name} in {Path(ours[-1].filename).relative_to(_PACKAGE)}, line {ours[-1].lineno}"


def _said(error: BaseException) -> str:
    """`KeyError: 'mug'`; for a failed validation only the number of errors, since their text may fill the memory."""
    if isinstance(error, ValidationError):
        return f"ValidationError of {error.title}: {error.error_count()}"
    return f"{type(error).__name__}: {error}"[:_SAID_CHARACTERS]
