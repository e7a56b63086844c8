"""The late policy: how late a submission is, and what that costs.

A late day is a calendar day in the course's time zone: it ends at the deadline's clock time on a following day. So a
day on which the clocks change counts as one day of 23 or 25 hours. The grace applies at each of these times.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from harness.findings import Finding, finding, sentence
from harness.inputs.assignment.deadline import Deadline
from harness.inputs.submission import Origin
from harness.stages.evidence.grade import Mark

CRITERION = "late"
TITLE = "Late hand-in"

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lateness:
    """The policy's result for one submission."""

    days: int | None  # begun late days; None when not known
    mark: Mark | None  # the deduction, with points below 0; None without one
    findings: tuple[Finding, ...] = ()


NOT_LATE = Lateness(None, None)


def late_days(handed_in: datetime.datetime, deadline: Deadline) -> int:
    """The number of begun days after the deadline and its grace; 0 when in time.

    A time without a zone is the course's; in the hour that the clocks repeat, it is the first of the two.
    """
    moment = _instant(handed_in if handed_in.tzinfo else handed_in.replace(tzinfo=deadline.zone))
    local = moment.astimezone(deadline.zone).replace(tzinfo=None) - _grace(deadline)
    days = max(0, (local - deadline.local).days - 1)  # a lower bound, since clocks shift by less than a day
    while moment > _end(deadline, days):
        days += 1
    return days


def judge(origin: Origin, deadline: Deadline, max_points: float, earned: float) -> Lateness:
    """What lateness costs of the `earned` points, at most all of them."""
    if origin.handed_in is None:
        return _unknown(origin)
    days = late_days(origin.handed_in, deadline)
    if days == 0:
        return Lateness(0, None)
    over = deadline.max_days is not None and days > deadline.max_days
    if over and deadline.after_max_days == "no-points":
        penalty, rule = earned, sentence("late-no-points", days=deadline.max_days)
    else:
        counted = min(days, deadline.max_days) if over and deadline.max_days is not None else days
        penalty, rule = counted * deadline.points_per_day(max_points), _rule(counted, days, deadline)
    when, limit = _shown(origin.handed_in, deadline), _shown(deadline.instant, deadline)
    said = f" ({origin.clock})" if origin.clock else ""
    reason = sentence("late", when=when, said=said, days=_days(days), limit=limit, rule=rule)
    return Lateness(days, _mark(0.0 - min(penalty, earned), reason))


def _unknown(origin: Origin) -> Lateness:
    if origin.said_late:
        return Lateness(None, _mark(None, sentence("late-but-how-much", clock=origin.clock)))
    return Lateness(None, None, (finding("hand-in-time-unknown"),))


def _mark(points: float | None, reason: str) -> Mark:
    return Mark(criterion=CRITERION, title=TITLE, points=points, max_points=0, reason=reason)


def _rule(counted: int, days: int, deadline: Deadline) -> str:
    rule = sentence("late-share" if deadline.is_percent else "late-points", penalty=deadline.penalty_per_day)
    return sentence("late-at-most", rule=rule, days=_days(counted)) if counted < days else rule


def _days(days: int) -> str:
    return f"{days} day{'' if days == 1 else 's'}"


def _end(deadline: Deadline, days: int) -> datetime.datetime:
    """The last moment that is `days` days late; where the clock shows it twice, the second."""
    local = (deadline.local + days * _DAY).replace(tzinfo=deadline.zone, fold=1)
    first = local.replace(fold=0)
    instant = max(_instant(local), _instant(first))
    return instant + _grace(deadline)


def _grace(deadline: Deadline) -> datetime.timedelta:
    return datetime.timedelta(minutes=deadline.grace_minutes)


def _instant(moment: datetime.datetime) -> datetime.datetime:
    return moment.astimezone(datetime.UTC)


def _shown(moment: datetime.datetime, deadline: Deadline) -> str:
    local = moment.astimezone(deadline.zone) if moment.tzinfo else moment.replace(tzinfo=deadline.zone)
    return local.strftime("%Y-%m-%d %H:%M %Z").strip()
