"""Late days are days of the course's calendar: clocks that change, leap days and grace come out right."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from example_evidence import evidence
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.grading.rubric import ManualMark, grade
from harness.grading.rubric.late import TITLE, late_days
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.deadline import Deadline
from harness.inputs.submission import Origin


def deadline(at: str = "2025-11-03T23:59:00", zone: str = "Europe/Amsterdam", **more: Any) -> Deadline:
    return Deadline(at=datetime.datetime.fromisoformat(at), time_zone=zone, **more)


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("handed_in", "days"),
    [
        ("2025-11-01T00:00:00", 0),
        ("2025-11-03T23:59:00", 0),  # at the deadline is in time
        ("2025-11-03T23:59:00.000001", 1),
        ("2025-11-04T23:59:00", 1),
        ("2025-11-04T23:59:01", 2),
        ("2025-11-03T22:59:30+00:00", 1),  # 23:59:30 in Amsterdam
        ("2025-11-03T17:58:00-05:00", 0),
        ("2026-11-03T23:59:00", 365),
    ],
)
def test_each_begun_day_counts(handed_in: str, days: int):
    assert late_days(at(handed_in), deadline()) == days


@pytest.mark.parametrize(
    ("limit", "handed_in", "days"),
    [
        # 26 October 2025, 03:00 summer time becomes 02:00: that day has 25 hours.
        ("2025-10-25T12:00:00", "2025-10-26T12:00:00", 1),
        ("2025-10-25T12:00:00", "2025-10-26T11:00:00+00:00", 1),
        ("2025-10-25T12:00:00", "2025-10-26T11:00:01+00:00", 2),
        # 30 March 2025, 02:00 becomes 03:00: 23 hours.
        ("2025-03-29T12:00:00", "2025-03-30T10:00:00+00:00", 1),
        ("2025-03-29T12:00:00", "2025-03-30T10:00:01+00:00", 2),
        # The deadline's clock time comes twice: the second one counts, and the submission's first.
        ("2025-10-26T02:30:00", "2025-10-26T01:30:00+00:00", 0),
        ("2025-10-26T02:30:00", "2025-10-26T01:30:01+00:00", 1),
        ("2025-10-26T02:15:00", "2025-10-26T02:45:00", 0),
        # The deadline's clock time does not come at all: 02:30 is 03:30 summer time.
        ("2025-03-30T02:30:00", "2025-03-30T01:30:00+00:00", 0),
        ("2025-03-30T02:30:00", "2025-03-30T01:30:01+00:00", 1),
        # The leap day.
        ("2028-02-28T12:00:00", "2028-02-29T12:00:00", 1),
        ("2028-02-28T12:00:00", "2028-03-01T12:00:00", 2),
        ("2028-02-29T12:00:00", "2028-03-01T12:00:00", 1),
        ("2027-02-28T12:00:00", "2027-03-01T12:00:00", 1),
    ],
)
def test_days_follow_the_calendar(limit: str, handed_in: str, days: int):
    assert late_days(at(handed_in), deadline(limit)) == days


@pytest.mark.parametrize(
    ("handed_in", "days"), [("2025-11-04T00:14:00", 0), ("2025-11-04T00:14:01", 1), ("2025-11-05T00:14:00", 1)]
)
def test_grace_counts_on_every_day(handed_in: str, days: int):
    assert late_days(at(handed_in), deadline(grace_minutes=15)) == days


def test_a_grace_of_a_week_is_a_week():
    assert late_days(at("2025-11-10T23:59:00"), deadline(grace_minutes=10_080)) == 0
    assert late_days(at("2025-11-10T23:59:01"), deadline(grace_minutes=10_080)) == 1


@given(
    st.datetimes(datetime.datetime(2025, 1, 1), datetime.datetime(2027, 1, 1)),
    st.timedeltas(max_value=datetime.timedelta(900), min_value=datetime.timedelta(0)),
)
def test_later_is_never_fewer_days(first: datetime.datetime, more: datetime.timedelta):
    limit = deadline("2025-10-25T02:30:00", grace_minutes=7)
    moments = [moment.replace(tzinfo=datetime.UTC) for moment in (first, first + more)]
    assert late_days(moments[0], limit) <= late_days(moments[1], limit)


def test_an_offset_is_a_time_zone():
    fixed = Deadline(at=at("2025-11-03T23:59:00+01:00"))
    assert late_days(at("2025-11-03T23:59:00"), fixed) == 0
    assert late_days(at("2025-11-03T23:00:00+00:00"), fixed) == 1


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"at": datetime.date(2025, 11, 3), "time_zone": "Europe/Amsterdam"}, "time of day"),
        ({"at": at("2025-11-03T23:59:00")}, "time_zone is missing"),
        ({"at": at("2025-11-03T23:59:00"), "time_zone": "Europe/Amsterdm"}, "did you mean 'Europe/Amsterdam'"),
        ({"at": at("2025-11-03T23:59:00"), "time_zone": "../etc/passwd"}, "no time zone"),
        ({"at": at("2025-11-03T23:59:00+01:00"), "penalty_per_day": "ten"}, "percentage"),
        ({"at": at("2025-11-03T23:59:00+01:00"), "penalty_per_day": -1}, "percentage"),
    ],
)
def test_a_wrong_deadline_says_what_is_wrong(values: dict[str, Any], says: str):
    with pytest.raises(ValidationError, match=says):
        Deadline(**values)


# --- what it costs ------------------------------------------------------------------------------


def graded(tmp_path: Path, handed_in: str | None, manual: dict[str, ManualMark] | None = None, **origin: Any):
    policy = origin.pop("policy", {})
    assignment = Assignment.model_validate(
        {
            "title": "x",
            "held_out": {"path": "h"},
            "reference": {"code": "c"},
            "deadline": {"at": at("2025-11-03T23:59:00"), "time_zone": "Europe/Amsterdam", **policy},
            "criteria": [{"kind": "model_predicts", "points": 40}, {"kind": "manual", "points": 60, "title": "Q"}],
            "file": tmp_path / "a.toml",
        }
    )
    answers = {"Q": ManualMark(40, "Good.", "kv"), **(manual or {})}
    when = at(handed_in) if handed_in else None
    return grade(assignment, evidence(), answers, Origin(handed_in=when, clock="Brightspace", **origin))


def test_in_time_there_is_no_line(tmp_path: Path):
    one = graded(tmp_path, "2025-11-03T12:00:00")
    assert (one.points, one.late_days, len(one.marks)) == (80, 0, 2)


def test_a_late_day_is_a_line_of_its_own_with_the_reason(tmp_path: Path):
    one = graded(tmp_path, "2025-11-05T12:34:00")
    line = one.marks[-1]
    assert (line.criterion, line.points, line.max_points) == ("late", -20, 0)
    assert "2025-11-05 12:34 CET (Brightspace), 2 days late for the deadline 2025-11-03 23:59 CET" in line.reason
    assert "10% of the points a day" in line.reason
    assert (one.points, one.max_points, one.late_days, one.status) == (60, 100, 2, "graded")


@pytest.mark.parametrize(
    ("policy", "points"),
    [
        ({"penalty_per_day": 2.5}, 80 - 12.5),
        ({"penalty_per_day": "33%"}, 0),  # never below nothing
        ({"max_days": 3}, 0),
        ({"max_days": 5}, 30),
        ({"max_days": 3, "after_max_days": "no-further-penalty"}, 50),
        ({"max_days": 0}, 0),
    ],
)
def test_the_policy_of_five_days_late(tmp_path: Path, policy: dict[str, Any], points: float):
    assert graded(tmp_path, "2025-11-08T12:00:00", policy=policy).points == pytest.approx(points)


def test_an_unknown_time_costs_nothing_and_is_said(tmp_path: Path):
    one = graded(tmp_path, None)
    assert (one.points, one.late_days) == (80, None)
    assert [finding.code for finding in one.findings] == ["hand-in-time-unknown"]


def test_late_without_a_time_waits_for_a_person(tmp_path: Path):
    one = graded(tmp_path, None, said_late=True)
    assert (one.marks[-1].points, one.status) == (None, "needs-review")
    decided = graded(tmp_path, None, {TITLE: ManualMark(-10, "A day, by mail.", "kv")}, said_late=True)
    assert (decided.points, decided.status) == (70, "graded")


def test_a_person_can_forgive(tmp_path: Path):
    one = graded(tmp_path, "2025-11-05T12:34:00", {TITLE: ManualMark(0, "Was ill.", "kv")})
    assert (one.points, one.marks[-1].reason, one.late_days) == (80, "Was ill. (kv)", 2)
