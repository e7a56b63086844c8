"""What a check says of each step and each criterion, from evidence alone."""

import pytest
from example_evidence import evidence

from harness.findings import finding, sentence
from harness.grading.check.outcome import CheckedCriterion, Seen, criteria, expected, steps
from harness.stages.evidence.grade import Grade, Mark
from harness.stages.evidence.stage_result import Failed, Skipped

SEEN = Seen("public", False, (), True)


def step(name, found):
    (one,) = [step for step in found if step.name == name]
    return one


def test_a_failure_of_the_student_is_to_mend_with_its_reason():
    failed = evidence(
        convert=Failed(status="failed", reason="No labels.", findings=(finding("part-missing", part="x"),))
    )
    one = step("convert", steps(failed, SEEN))
    assert (one.state, one.what) == ("mend this", "No labels.")
    assert one.mend == ("The assignment asks for a x, and none was handed in.",)


@pytest.mark.parametrize("code", ["engine-failed", "environment-missing"])
def test_a_failure_of_the_machine_cannot_be_known_here(code: str):
    particulars = {"what": "x", "command": "y"} if code == "environment-missing" else {}
    lost = evidence(execute=Skipped(reason="It broke.", findings=(finding(code, **particulars),)))
    assert step("execute", steps(lost, SEEN)).state == "cannot be known here"


def test_a_run_that_fails_where_weights_or_images_are_missing_says_what_to_fetch():
    failed = evidence(execute=Failed(status="failed", reason="Cell 2 failed."))
    one = step("execute", steps(failed, Seen("none", False, ("vgg16",), False)))
    assert one.state == "cannot be known here"
    assert "harness weights fetch vgg16" in one.notes[0] and "training images" in one.notes[1]


def test_a_missing_model_is_to_mend_unless_the_notebook_may_still_make_it_in_grading():
    none = Skipped(reason="There is no model.")
    assert step("convert", steps(evidence(convert=none), SEEN)).state == "mend this"
    lost = Skipped(reason="It broke.", findings=(finding("engine-failed"),))
    assert step("convert", steps(evidence(convert=none, execute=lost), SEEN)).state == "cannot be known here"


@pytest.mark.parametrize(
    ("code", "particulars", "to_do"),
    [
        ("weights-missing", {"cell": 4, "what": "the weights w.pth", "name": "w"}, "fetch w"),
        ("environment-missing", {"what": "It needs TensorFlow", "command": "harness env build keras"}, "build keras"),
    ],
)
def test_what_the_machine_lacks_is_said_to_whose_machine_it_is(code: str, particulars: dict, to_do: str):
    found = finding(code, **particulars)
    lost = evidence(execute=Skipped(reason=found.message, findings=(found,)))
    said = step("execute", steps(lost, SEEN)).what
    assert "this machine" in said and to_do in said
    assert "grading machine" not in said and "instructor" not in said


def test_images_that_stand_for_the_held_out_ones_are_not_called_so():
    mark = Mark(
        criterion="model_predicts",
        title="It predicts",
        points=5,
        max_points=5,
        reason="The model answered for all 3 held-out images.",
    )
    (line,) = criteria(Grade(status="graded", marks=(mark,), points=5, max_points=5))
    assert line.reason == "The model answered for all 3 images here."


def test_what_would_be_scored_on_labelled_images_cannot_be_known_without_any():
    """Its zero points are not the student's: nothing here could be scored."""
    found = evidence(evaluate=Skipped(reason=sentence("no-labelled-images")))
    marks = tuple(
        Mark(criterion=kind, title=kind, points=0.0, max_points=5, reason="None.")
        for kind in ("accuracy_vs_reference", "notebook_runs")
    )
    lines = criteria(Grade(status="graded", marks=marks, points=0, max_points=10), found)
    assert [(line.state, line.points) for line in lines] == [("cannot be known here", None), ("expected", 0.0)]


def test_what_was_not_asked_for_is_no_step():
    assert "audit" not in [step.name for step in steps(evidence(audit=Skipped(reason="Not asked.")), SEEN)]


def test_expected_points_add_up_with_their_interval_and_leave_open_ones_out():
    def line(points, interval=None):
        state = "cannot be known here" if points is None else "expected"
        return CheckedCriterion(
            kind="k", title="t", state=state, points=points, max_points=10, interval=interval, reason=""
        )

    assert expected([line(5.0), line(6.1, (5.0, 7.2)), line(None)]) == (11.1, (10.0, 12.2))
    assert expected([line(5.0), line(None)]) == (5.0, None)


def test_images_that_the_model_has_seen_are_named_as_such():
    assert "probably seen" in Seen("public", True, (), True).meaning
    assert "says nothing of your grade" in Seen("own", True, (), True).meaning
