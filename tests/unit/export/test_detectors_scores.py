"""grades.csv and the class's frame where the task is detection: AP50 stands where accuracy does, or is added."""

from __future__ import annotations

import csv
import io

import pytest
from example_results import results
from example_scores import detectors_evidence

from harness.gradebook.frames import class_frame
from harness.gradebook.results import Results, submission_result
from harness.report.export.grades_csv import COLUMNS, OF_DETECTORS, text
from harness.stages.evidence.grade import Grade


def of_detection() -> Results:
    """Two submissions, of which the first has scores."""
    found = results("anna", "bram")
    grade = Grade(status="graded", marks=(), points=10, max_points=30)
    scored = submission_result("s0", "anna", detectors_evidence(), grade, frozenset())
    task = found.assignment.model_copy(update={"task": "detection"})
    bare = found.submissions[1].model_copy(update={"evaluation": None})
    return found.model_copy(update={"assignment": task, "submissions": (scored, bare)})


def test_a_detection_assignment_has_ap50_with_its_interval_and_difference():
    one, other = csv.DictReader(io.StringIO(text(of_detection()).removeprefix("\ufeff")))
    assert list(one) == [*COLUMNS, *OF_DETECTORS]
    assert [one[name] for name in OF_DETECTORS] == ["0.8000", "0.7000", "0.8800", "-0.1000"]
    assert [other[name] for name in OF_DETECTORS] == [""] * 4


def test_a_classification_assignment_has_the_columns_that_it_had():
    (one,) = csv.DictReader(io.StringIO(text(results("anna")).removeprefix("\ufeff")))
    assert list(one) == list(COLUMNS)


def test_the_frame_has_ap50_in_place_of_accuracy():
    frame = class_frame(of_detection())
    assert frame.loc["s0", ["ap50", "ap50_low", "ap50_high"]].tolist() == pytest.approx([0.8, 0.7, 0.88])
    assert frame.loc["s1", ["ap50", "ap50_low", "ap50_high"]].isna().all() and "accuracy" not in frame
