"""Who in a class needs a look first, and why: the values of `templates/first_look.html.j2`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.findings import Severity
from harness.gradebook.results import SubmissionResult
from harness.report.student import by_severity

_MOST_NAMED, _MOST_REASONS = 10, 4


@dataclass(frozen=True, slots=True)
class Noticed:
    """A kind of finding of one submission."""

    code: str
    severity: Severity
    message: str  # of the first


@dataclass(frozen=True, slots=True)
class Look:
    """A submission that a person should look at."""

    result: SubmissionResult
    to_mark: tuple[str, ...]  # titles of the criteria that wait for a person
    noticed: tuple[Noticed, ...]  # the most serious first, without mere notes
    more: int  # kinds of findings that are not in `noticed`


@dataclass(frozen=True, slots=True)
class FirstLook:
    looks: tuple[Look, ...]  # at most 10
    more: int


def first_look(rows: Sequence[SubmissionResult]) -> FirstLook:
    """Those who wait for a person first, then by errors and warnings; none about whom there is nothing to say."""
    wanted = [row for row in rows if row.is_open or _serious(row)]
    wanted.sort(key=_order)
    return FirstLook(tuple(map(_look, wanted[:_MOST_NAMED])), max(0, len(wanted) - _MOST_NAMED))


def _serious(row: SubmissionResult) -> dict[str, Noticed]:
    found: dict[str, Noticed] = {}
    for one in by_severity(row.findings):
        if one.severity != "info":
            found.setdefault(one.code, Noticed(one.code, one.severity, one.message))
    return found


def _order(row: SubmissionResult) -> tuple[bool, int, int]:
    severities = [one.severity for one in _serious(row).values()]
    return not row.is_open, -severities.count("error"), -severities.count("warning")


def _look(row: SubmissionResult) -> Look:
    noticed = tuple(_serious(row).values())
    to_mark = tuple(mark.title for mark in row.marks if mark.points is None)
    return Look(row, to_mark, noticed[:_MOST_REASONS], max(0, len(noticed) - _MOST_REASONS))
