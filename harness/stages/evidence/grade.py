"""The marks of a submission, and their sum."""

from __future__ import annotations

from typing import Literal

from harness.findings import Finding
from harness.stages.evidence.record import Record


class Mark(Record):
    """Points for one criterion, with the reason in words. `points` is None until a person marks it.

    What is taken off is a mark, too: its `points` are below 0, and its `max_points` are 0.
    """

    criterion: str
    title: str
    points: float | None
    max_points: float
    reason: str
    detail: str = ""  # for the instructor only: what may be about another submission


GradeStatus = Literal["graded", "failed", "needs-review"]


class Grade(Record):
    """The marks and their sum.

    `failed`: nothing could be graded. `needs-review`: a person has to mark something, or the machine,
    not the student, failed. `points` then sums what is marked so far.
    """

    status: GradeStatus
    marks: tuple[Mark, ...]
    points: float
    max_points: float
    late_days: int | None = None  # None when there is no deadline, or when it was handed in is not known
    findings: tuple[Finding, ...] = ()  # of the marking itself
