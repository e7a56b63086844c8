"""Points that rest on a sample have an interval, and totals near a grade boundary wait for a person."""

import datetime
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_evidence import evaluation, evidence, inspection
from pydantic import ValidationError

from harness.grading.rubric import ManualMark, grade
from harness.grading.rubric.criteria.accuracy_vs_reference import Options
from harness.grading.sample_size import images_needed, margin, variance, warnings
from harness.inputs.assignment import Assignment
from harness.inputs.submission import Origin
from harness.stages.evaluate.comparison import compare
from harness.stages.evidence.stage_result import Done

ACCURACY = 'kind = "accuracy_vs_reference"\ntitle = "A"\npoints = 40\nfull_at = 0.0\nzero_at = -0.40'
RUNS = 'kind = "notebook_runs"\npoints = 10'
OPEN = 'kind = "manual"\ntitle = "Q"\npoints = 5'


def assignment(*criteria: str, borderline: str = "[]", deadline: str = "") -> Assignment:
    text = f'title = "x"\n[held_out]\npath = "h"\n[reference]\ncode = "c"\n[grading]\nborderline = {borderline}\n'
    text += deadline
    return Assignment.model_validate(tomllib.loads(text + "".join(f"[[criteria]]\n{one}\n" for one in criteria)))


def found(difference: float = -0.1, low: float = -0.15, high: float = -0.04) -> Any:
    scored = evaluation(difference=difference, difference_interval=(low, high))
    return evidence(evaluate=Done(value=scored, origin="measured-outside"), inspect=Done(value=inspection()))


def test_the_interval_is_that_of_the_difference_on_the_scale():
    graded = grade(assignment(ACCURACY, RUNS), found(), {})
    accuracy, runs = graded.marks
    assert (accuracy.points, accuracy.points_interval) == (30, (25, 36))
    assert runs.points_interval is None
    assert (graded.points, graded.points_interval, graded.status) == (40, (35, 46), "graded")


def test_it_ends_with_the_scale_and_holds_the_points():
    [mark] = grade(assignment(ACCURACY), found(-0.004, -0.05, 0.03), {}).marks
    assert mark.points == 39.6 and mark.points_interval == (35, 40)
    [mark] = grade(assignment(ACCURACY), found(-0.6, -0.7, -0.5), {}).marks
    assert (mark.points, mark.points_interval) == (0, None)  # sure of it


def test_two_criteria_on_the_same_images_may_be_off_together():
    other = ACCURACY.replace('"A"', '"B"').replace("points = 40", "points = 20")
    assert grade(assignment(ACCURACY, other), found(), {}).points_interval == (37.5, 54)


def test_an_open_mark_leaves_the_total_open():
    graded = grade(assignment(ACCURACY, OPEN, borderline="[20]"), found(), {})
    assert graded.points_interval is None and graded.findings == ()


@pytest.mark.parametrize(
    ("boundaries", "waits"),
    [("[35]", False), ("[35.01]", True), ("[40]", True), ("[46]", True), ("[46.01]", False), ("[20, 49]", False)],
)
def test_a_total_that_may_lie_on_either_side_of_a_boundary_waits(boundaries: str, waits: bool):
    """Its interval is 35 to 46 points."""
    graded = grade(assignment(ACCURACY, RUNS, borderline=boundaries), found(), {})
    assert graded.status == ("needs-review" if waits else "graded")
    assert [one.code for one in graded.findings] == ["grade-borderline"] * waits
    assert graded.points == 40


def test_the_finding_says_what_to_do():
    [said] = grade(assignment(ACCURACY, RUNS, borderline="[36, 45]"), found(), {}).findings
    assert "40 points" in said.message and "35 to 46" in said.message
    assert "36 and 45" in said.message and "'A'" in said.message


@pytest.mark.parametrize("points", [30, 33])
def test_a_person_decides_by_marking_what_is_uncertain(points: float):
    near = assignment(ACCURACY, RUNS, borderline="[41]")
    graded = grade(near, found(), {"A": ManualMark(points, "Looked at it.", "jo")})
    assert (graded.status, graded.points_interval, graded.findings) == ("graded", None, ())
    elsewhere = ManualMark(10, "Looked at it.", "jo")
    assert grade(near, found(), {"All code cells of the notebook run": elsewhere}).status == "needs-review"
    old = ManualMark(points, "Looked at it.", "jo", given_for="other content")
    assert grade(near, found(), {"A": old}).status == "needs-review"


def test_one_of_two_uncertain_criteria_is_enough():
    other = ACCURACY.replace('"A"', '"B"')
    near = assignment(ACCURACY, other, borderline="[61]")
    assert grade(near, found(), {}).status == "needs-review"
    assert grade(near, found(), {"B": ManualMark(30, "Looked at it.", "jo")}).status == "graded"


def test_lateness_moves_the_interval_too():
    deadline = "[deadline]\nat = 2026-01-01T00:00:00Z\npenalty_per_day = 28\n"
    late = Origin(handed_in=datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC))
    graded = grade(assignment(ACCURACY, deadline=deadline), found(), {}, late)
    assert (graded.points, graded.points_interval) == (2, (0, 8))


@pytest.mark.parametrize("wrong", ["[70, 55]", "[55, 55]", "[0]", "[-1]", "[50.5]", "[nan]", '["a"]', "55"])
def test_boundaries_that_make_no_sense_are_refused(wrong: str):
    with pytest.raises(ValidationError):
        assignment(ACCURACY, RUNS, borderline=wrong)


# --- how many images ------------------------------------------------------------------------------


def test_the_variance_is_that_of_the_difference_on_one_image():
    """A tenth of the reference's answers are wrong, half of which the submission has right: by all four outcomes."""
    options = Options(full_at=-0.03, zero_at=-0.40)
    gain, difference = Fraction("0.05"), Fraction("-0.215")
    loss = gain - difference
    outcomes = {1: gain, -1: loss, 0: 1 - gain - loss}
    mean = sum(value * chance for value, chance in outcomes.items())
    assert mean == difference
    expected = sum((value - mean) ** 2 * chance for value, chance in outcomes.items())
    assert variance(options, 0.9) == pytest.approx(float(expected))


@pytest.mark.parametrize(("full_at", "zero_at"), [(-0.03, -0.40), (0.0, -1.0), (0.2, 0.1)])
def test_with_so_many_images_the_interval_is_a_fifth_of_the_points_wide(full_at: float, zero_at: float):
    """The product's own interval, on the assumed numbers of images on which the two models differ."""
    options = Options(full_at=full_at, zero_at=zero_at)
    needed = images_needed(options, 0.92)
    assert margin(options, 0.92, needed) <= 0.1 < margin(options, 0.92, needed - 1)
    halfway = (full_at + zero_at) / 2
    gain = max(0.04, halfway)
    wins, losses = round(needed * gain), round(needed * (gain - halfway))
    number = np.arange(needed)
    low, high = compare(number < wins, (number >= wins) & (number < wins + losses)).interval
    assert (high - low) / (full_at - zero_at) == pytest.approx(0.2, rel=0.1)


def test_a_set_that_is_too_small_is_named_with_the_number_that_would_do():
    course = assignment(ACCURACY, RUNS)
    options = Options(full_at=0.0, zero_at=-0.4)
    needed = images_needed(options, 0.92)
    [said] = warnings(course, 0.92, needed - 1, needed - 1)
    assert f"{needed - 1} held-out images are few for 'A'" in said and f"With {needed} images" in said
    assert warnings(course, 0.92, needed, needed) == []
    [said] = warnings(course, 0.92, needed, needed / 3)
    assert "of few scenes" in said
    assert warnings(assignment(RUNS), 0.92, 4, 4) == []


def test_the_documented_example():
    text = (Path(__file__).parents[3] / "docs" / "criteria.md").read_text()
    assert f"that is {images_needed(Options(), 0.92)} images" in text
    assert f"143 images give {margin(Options(), 0.92, 143):.0%}".replace("%", " %") in text
