"""The verdicts on an assignment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from harness.errors import AssignmentError
from harness.stages.evidence.record import Record

Level = Literal["error", "doubt", "fine"]
_MOST_EXAMPLES = 5


class Verdict(Record):
    """One thing that was looked at. `error`: `harness grade` would refuse, or grade wrongly."""

    level: Level
    place: str  # `assignment.toml:14  held_out.path`
    what: str
    do: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" + (f"\n  do: {self.do}" if self.do else "")


class Validation(Record):
    """All verdicts on one assignment, in the order in which they were made."""

    assignment: str  # the file's path
    verdicts: tuple[Verdict, ...]

    def of(self, level: Level) -> tuple[Verdict, ...]:
        """The verdicts of one level."""
        return tuple(verdict for verdict in self.verdicts if verdict.level == level)


def error(place: str, what: str, do: str = "") -> Verdict:
    """A verdict for which `harness grade` stops."""
    return Verdict(level="error", place=place, what=what, do=do)


def doubt(place: str, what: str, do: str = "") -> Verdict:
    """A verdict that a person should read."""
    return Verdict(level="doubt", place=place, what=what, do=do)


def fine(place: str, what: str) -> Verdict:
    """A verdict that there is nothing to do."""
    return Verdict(level="fine", place=place, what=what)


def of_problems(problem: AssignmentError) -> list[Verdict]:
    """The error's problems, each with what to do."""
    if not problem.problems:
        return [error("the file", problem.message, problem.do)]
    return [error(one.place, one.what, problem.do) for one in problem.problems]


def images(count: int) -> str:
    """`1 image`, `3 images`."""
    return f"{count} image{'' if count == 1 else 's'}"


def some(names: Sequence[str]) -> str:
    """The names, at most five, and how many more."""
    more = len(names) - _MOST_EXAMPLES
    return ", ".join(names[:_MOST_EXAMPLES]) + (f" and {more} more" if more > 0 else "")


def below(file: Path, base: Path) -> str:
    """The file's path below the assignment's folder, else as it is."""
    return str(file.relative_to(base) if file.is_relative_to(base) else file)
