"""Whose grade differs between two runs, by how much, and why: a frame with a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.gradebook.history import PastGrade
from harness.gradebook.story import reasons

if TYPE_CHECKING:
    import pandas

COLUMNS = ("submission", "student", "before", "after", "change", "why")


def changes(before: Sequence[PastGrade], after: Sequence[PastGrade]) -> pandas.DataFrame:
    """`COLUMNS` of the submissions whose points, status or content differ, the largest change first.

    A submission is found again by who handed it in; where an older harness did not record that, by its id. Points are
    missing where it is in one run only.
    """
    import pandas

    both = pandas.merge(_frame(before), _frame(after), how="outer", on="who", suffixes=("_before", "_after"))
    rows = [_row(old, new) for old, new in zip(both["grade_before"], both["grade_after"], strict=True)]
    frame = pandas.DataFrame.from_records([row for row in rows if row], columns=list(COLUMNS))
    for column in ("before", "after", "change"):
        frame[column] = frame[column].astype(float)
    return frame.sort_values("change", key=abs, ascending=False, kind="stable", na_position="first", ignore_index=True)


def _frame(grades: Sequence[PastGrade]) -> pandas.DataFrame:
    import pandas

    times: dict[str, int] = {}
    rows = []
    for grade in grades:
        sender = grade.identity or grade.submission
        times[sender] = times.get(sender, 0) + 1  # several under one name are compared in order
        rows.append(((sender, times[sender]), grade))
    return pandas.DataFrame({"who": [who for who, _ in rows], "grade": [grade for _, grade in rows]}, dtype=object)


def _row(old: object, new: object) -> tuple[object, ...] | None:
    if not isinstance(new, PastGrade):
        assert isinstance(old, PastGrade)
        return old.submission, old.student, old.points, None, None, "no longer there"
    if not isinstance(old, PastGrade):
        return new.submission, new.student, None, new.points, None, "new"
    why = reasons(old, new)
    if old.status and new.status and old.status != new.status:
        why.insert(0, f"{old.status} -> {new.status}")
    if old.points == new.points and old.status == new.status and old.content == new.content:
        return None
    return new.submission, new.student, old.points, new.points, new.points - old.points, "; ".join(why)
