"""The marks of a submission, and their sum."""

from __future__ import annotations

from typing import Literal

from harness.findings import Finding
from harness.stages.evidence.record import Interval, Record


class Mark(Record):
    """Points for one criterion, and the reason. `points` is None until a person marks it.

    A deduction is a mark with `points` below 0 and `max_points` of 0.
    """

    criterion: str
    title: str
    points: float | None
    max_points: float
    reason: str
    detail: str = ""  # for the instructor only; it may mention another submission
    more: str = ""  # what would have earned more, for the student; empty with all points, and for a person's mark
    points_interval: Interval | None = None  # 95 %; None if the points rest on no sample, or a person gave them
    given: int = 0  # the number in the gradebook of the latest mark that a person gave for it, also where it waits


GradeStatus = Literal["graded", "failed", "needs-review"]


class Grade(Record):
    """The marks and their sum.

    `failed`: nothing could be graded. `needs-review`: a person has to mark something or to decide at a grade boundary,
    or the machine, not the student, failed; `points` is then the sum so far.
    """

    status: GradeStatus
    marks: tuple[Mark, ...]
    points: float
    max_points: float
    late_days: int | None = None  # None without a deadline, or if the time is not known
    findings: tuple[Finding, ...] = ()  # about the marking itself
    points_interval: Interval | None = None  # 95 %, of `points`; None if no mark has one, or one is open
