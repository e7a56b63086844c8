"""A mark that was given for something else waits for a person, and shows what it was."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import get_args

import pytest
from example_evidence import evidence

from harness.findings import finding
from harness.gradebook.manual import GivenFor
from harness.grading.rubric import ManualMark, grade
from harness.grading.rubric.late import TITLE
from harness.inputs.assignment import Assignment
from harness.inputs.submission import Origin
from harness.stages.evidence.grade import Grade
from harness.stages.evidence.stage_result import Skipped

LOST = Skipped(reason="The engine failed 3 times.", findings=(finding("engine-failed", reason="x"),))
LATE = Origin(handed_in=datetime.datetime.fromisoformat("2025-11-04T12:00:00+00:00"))
OTHERS = [value for value in get_args(GivenFor) if value != "this"]


def graded(tmp_path: Path, given: dict[str, ManualMark], **changes: object) -> Grade:
    rubric = Assignment.model_validate(
        {
            "title": "x",
            "held_out": {"path": "h"},
            "reference": {"code": "c"},
            "deadline": {"at": datetime.datetime.fromisoformat("2025-11-03T12:00:00+00:00")},
            "criteria": [
                {"kind": "model_predicts", "points": 10, "title": "P"},
                {"kind": "manual", "points": 20, "title": "Q", "questions": ["Why?"]},
            ],
            "file": tmp_path / "a.toml",
        }
    )
    return grade(rubric, evidence(**changes), given, LATE)


@pytest.mark.parametrize("given_for", OTHERS)
@pytest.mark.parametrize("title", ["P", "Q"])
def test_it_gives_no_points_and_shows_the_old_mark_with_what_is_said_now(
    tmp_path: Path, title: str, given_for: GivenFor
):
    result = graded(tmp_path, {title: ManualMark(7, "Clear.", "jo", given_for)})
    [mark] = [mark for mark in result.marks if mark.title == title]
    assert (mark.points, result.status) == (None, "needs-review")
    shown = mark.reason if given_for == "other content" else mark.detail  # which no student reads
    assert shown.startswith("A person gave 7 points (jo) ") and "have to be confirmed or changed" in shown
    assert given_for == "other content" or "7" not in mark.reason
    now = {"P": "The model answered for all", "Q": "Questions: Why?"}[title]
    assert now in mark.reason


def test_lateness_that_was_forgiven_for_other_content_waits_too(tmp_path: Path):
    result = graded(
        tmp_path, {"Q": ManualMark(7, "Clear.", "jo"), TITLE: ManualMark(0, "Was ill.", "jo", "other content")}
    )
    line = result.marks[-1]
    assert (line.points, result.status) == (None, "needs-review")
    assert "A person gave 0 points (jo) for earlier content" in line.reason and "1 day late" in line.reason


def test_a_machines_failure_is_not_settled_by_a_mark_for_something_else(tmp_path: Path):
    fresh = {"P": ManualMark(10, "It did.", "jo"), "Q": ManualMark(7, "Clear.", "jo"), TITLE: ManualMark(0, "-", "jo")}
    assert graded(tmp_path, fresh, inspect=LOST).status == "graded"
    stale = {"gone": ManualMark(7, "Clear.", "jo", "other content")}
    assert graded(tmp_path, stale, inspect=LOST).status == "needs-review"
