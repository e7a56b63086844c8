"""Entering a person's mark, checked against the run that it belongs to."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from harness.errors import UsageError
from harness.grade.manual import ManualMark
from harness.gradebook import Gradebook


def enter(book: Gradebook, submission: str, criterion: str, points: float, reason: str, marker: str) -> None:
    """Give `points` for the criterion with that title.

    Any criterion can be overruled, not only a `manual` one, and what was taken off for lateness: its points
    are 0 or below. Raises `UsageError` for a hand-in or a criterion that is not in the gradebook, points
    outside what it can give, or an empty reason.
    """
    results = {result.id: result for result in book.submissions()}
    if submission not in results:
        raise UsageError(f"no hand-in {submission!r} in this gradebook", _known(submission, list(results)))
    marks = {mark.title: mark for mark in results[submission].marks}
    if criterion not in marks:
        raise UsageError(f"no criterion {criterion!r}", _known(criterion, list(marks)))
    highest = marks[criterion].max_points
    lowest = 0.0 if highest else -results[submission].max_points  # what is taken off has a maximum of 0
    if not lowest <= points <= highest:
        raise UsageError(f"{points:g} points for {criterion!r}", f"give {lowest:g} to {highest:g}")
    if not reason.strip():
        raise UsageError("a mark needs a reason", "say in a sentence why")
    book.set_mark(submission, criterion, ManualMark(points, reason.strip(), marker))


def _known(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(names)}"
