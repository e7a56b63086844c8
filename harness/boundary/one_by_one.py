"""What is done for each of many submissions, so that the trouble of one is never the others'.

An exception while something is done for one submission is a defect of ours, whatever the submission holds: it is noted,
that submission waits for a person, and the others go on. Only the machine's own trouble ends a run.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from harness.errors import MACHINES_OWN, EnvironmentMissing, MachineError, RunStopped
from harness.findings import KINDS, Finding

_PACKAGE = Path(__file__).parents[1]
_OTHERS = 5  # with which each of a pair is tried
_FRAMES = 40  # of a traceback, the innermost
_SAID_CHARACTERS = 2_000

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Defect:
    """The harness failed in something that it did for one submission."""

    what: str  # was done
    where: str  # in our code, and which exception: none of its words, which may be the submission's
    log: str  # the traceback, for the instructor

    @property
    def reason(self) -> str:
        """The sentence for the student, made as `finding` is."""
        return f"The harness failed in {self.what}."

    @property
    def finding(self) -> Finding:
        """What stands in for a result is made without any function that may have failed."""
        kind = KINDS["harness-defect"]
        message = kind.wording.format(reason=f"{self.what}: {self.where}")
        return Finding(code="harness-defect", severity=kind.severity, message=message)


def attempt(what: str, do: Callable[[], T]) -> T | Defect:
    """What `do` gives, or the defect that it ran into. `what` it does begins the finding: `marking`.

    Raises `MachineError` when it is the machine that cannot go on, and `RunStopped`.
    """
    try:
        return do()
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of a library that is written in Rust is no `Exception`
        return defect(what, error)


def defect(what: str, error: BaseException) -> Defect:
    """What was raised, as a defect. Raises again what ends the run: its end by the user, a machine that cannot go on.

    An `OSError` is the machine's only where no submission's content can bring it about: a name that is too long or in
    another encoding, a loop of links, or a file that may not be read are trouble with that submission.
    """
    if isinstance(error, RunStopped) or (isinstance(error, MachineError) and not isinstance(error, EnvironmentMissing)):
        raise error
    if isinstance(error, OSError) and error.errno in MACHINES_OWN:
        raise MachineError(f"{what}: {error}", "make room on the disk, or see what ails the machine") from error
    log = "".join(traceback.format_tb(error.__traceback__, -_FRAMES)) + _said(error)
    return Defect(what, _where(error), log)


def for_each(what: str, items: Iterable[T], do: Callable[[T], R], otherwise: Callable[[T, Defect], R]) -> list[R]:
    """What `do` gives for each item; `otherwise` for one with which it runs into a defect."""
    results = []
    for item in items:
        done = attempt(what, partial(do, item))
        results.append(otherwise(item, done) if isinstance(done, Defect) else done)
    return results


def together(what: str, items: Sequence[T], do: Callable[[list[T]], R]) -> tuple[R, dict[int, Defect]]:
    """What `do` gives for all items at once, but for those with which it fails; and these, by index.

    They are found by trying shorter and shorter parts: at most some 2 log n tries for each. `do` must not fail for
    nothing. Raises what `do` raises for no items, and as `attempt` does.
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
    """One of those with which it fails. Of two that fail only together it is the one that fails with more of some
    others, too, and both where neither does, or both do."""

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
    """The least n up to `longest`, for which it is known, with which it fails."""
    low, high = 1, longest
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fails(middle) else (middle + 1, high)
    return high


def _tried(what: str, items: Sequence[T], indices: list[int], do: Callable[[list[T]], R]) -> R | Defect:
    return attempt(what, lambda: do([items[index] for index in indices]))


def _where(error: BaseException) -> str:
    """`KeyError in grade/rubric.py, line 12`: the innermost place of ours."""
    ours = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_PACKAGE)
    ]
    name = type(error).__name__
    if not ours:
        return name
    return f"{name} in {Path(ours[-1].filename).relative_to(_PACKAGE)}, line {ours[-1].lineno}"


def _said(error: BaseException) -> str:
    """`KeyError: 'mug'`; of a failed validation only how much is wrong, since all of it may fill the memory."""
    if isinstance(error, ValidationError):
        return f"ValidationError of {error.title}: {error.error_count()}"
    return f"{type(error).__name__}: {error}"[:_SAID_CHARACTERS]
