"""Marks follow from the evidence by the assignment's anchors, and the machine's faults cost nobody points."""

from pathlib import Path
from typing import Any

import pytest
from example_evidence import BLOB, benchmark, evaluation, evidence, execution

from harness.errors import AssignmentError
from harness.findings import finding
from harness.grading.rubric import ManualMark, check, grade
from harness.grading.rubric.criterion import kinds, linear
from harness.grading.rubric.rubric import _WORKS_ON, _is_spoilt
from harness.inputs.assignment import Assignment
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.evidence.submission import STAGES_OF

FILE = """\
title = "x"
[held_out]
path = "h"
[reference]
code = "c"
"""


def assignment(tmp_path: Path, *criteria: str) -> Assignment:
    text = FILE + "".join(f"[[criteria]]\n{c}\n" for c in criteria)
    (tmp_path / "assignment.toml").write_text(text)
    import tomllib

    return Assignment.model_validate({**tomllib.loads(text), "file": tmp_path / "assignment.toml"})


def only(tmp_path: Path, criterion: str, found, manual=None):
    return grade(assignment(tmp_path, criterion), found, manual or {}).marks[0]


ACCURACY = 'kind = "accuracy_vs_reference"\npoints = 40\nfull_at = -0.02\nzero_at = -0.42'


@pytest.mark.parametrize(("difference", "points"), [(0.05, 40), (-0.02, 40), (-0.22, 20), (-0.42, 0), (-0.9, 0)])
def test_accuracy_is_linear_between_its_anchors(tmp_path: Path, difference: float, points: float):
    found = evidence(evaluate=Done(value=evaluation(difference=difference), origin="measured-outside"))
    mark = only(tmp_path, ACCURACY, found)
    assert mark.points == pytest.approx(points)
    assert "right on 90.0% of 150 images, the reference on 92.0%" in mark.reason


@pytest.mark.parametrize(("ratio", "points"), [(0.3, 10), (1.5, 10), (5.75, 5), (10, 0), (40, 0)])
def test_latency_is_linear_between_its_anchors(tmp_path: Path, ratio: float, points: float):
    found = evidence(benchmark=Done(value=benchmark(ratio), origin="measured-inside"))
    assert only(tmp_path, 'kind = "latency_vs_reference"\npoints = 10', found).points == pytest.approx(points)


def test_a_speed_that_was_not_measured_waits_for_a_person_and_no_model_is_no_points(tmp_path: Path):
    spec = 'kind = "latency_vs_reference"\npoints = 10'
    assert only(tmp_path, spec, evidence(benchmark=Skipped(reason="It runs as it is."))).points is None
    assert only(tmp_path, spec, evidence(predict=Skipped(reason="No model."))).points == 0


def test_a_notebook_that_stops_gets_its_share(tmp_path: Path):
    stopped = FailedExecution(status="failed", reason="Cell 5 stopped.", execution=execution(4, 8))
    assert only(tmp_path, 'kind = "notebook_runs"\npoints = 10', evidence()).points == 10
    mark = only(tmp_path, 'kind = "notebook_runs"\npoints = 10', evidence(execute=stopped))
    assert mark.points == 2.5
    assert mark.reason == "4 of 8 code cells ran. Cell 5 stopped."
    none = Skipped(reason="No notebook was handed in.")
    assert only(tmp_path, 'kind = "notebook_runs"\npoints = 10', evidence(execute=none)).points == 0


def test_a_model_that_predicts(tmp_path: Path):
    spec = 'kind = "model_predicts"\npoints = 10'
    assert only(tmp_path, spec, evidence()).points == 10
    broken = Failed(status="rejected", reason="It has 3 outputs for 5 labels.")
    mark = only(tmp_path, spec, evidence(convert=broken, predict=Skipped(reason="There is no usable model.")))
    assert (mark.points, mark.reason) == (0, "It has 3 outputs for 5 labels.")


MANUAL = 'kind = "manual"\ntitle = "Questions"\npoints = 20'


def test_open_questions_wait_for_a_person(tmp_path: Path):
    rubric = assignment(tmp_path, 'kind = "model_predicts"\npoints = 10', MANUAL)
    open_ = grade(rubric, evidence(), {})
    assert (open_.status, open_.points, open_.max_points) == ("needs-review", 10, 30)
    marked = grade(rubric, evidence(), {"Questions": ManualMark(15, "Good.", "jo")})
    assert (marked.status, marked.points) == ("graded", 25)
    assert marked.marks[1].reason == "Good. (jo)"


@pytest.mark.parametrize("code", ["engine-failed", "harness-defect"])
def test_what_the_machine_lost_is_never_a_zero(tmp_path: Path, code: str):
    lost = Skipped(reason="The engine failed.", findings=(finding(code, reason="x"),))
    found = evidence(convert=lost, predict=Skipped(reason="There is no usable model."), evaluate=lost, execute=lost)
    result = grade(assignment(tmp_path, 'kind = "model_predicts"\npoints = 10', ACCURACY), found, {})
    assert result.status == "needs-review"
    assert [mark.points for mark in result.marks] == [None, None]


def test_nothing_that_could_be_graded_is_failed(tmp_path: Path):
    died = Failed(status="timeout", reason="It did not end.")
    none = Skipped(reason="There is no usable model.")
    found = evidence(execute=died, predict=none, evaluate=none, benchmark=none)
    assert grade(assignment(tmp_path, ACCURACY, MANUAL), found, {}).status == "failed"


@pytest.mark.parametrize(
    ("criterion", "said"),
    [
        (
            'kind = "notebok_runs"\npoints = 1',
            "criteria.1.kind: unknown kind 'notebok_runs'; did you mean 'notebook_runs'",
        ),
        ('kind = "manual"\npoints = 1\nquestion = []', "criteria.1.question: unknown key; did you mean 'questions'?"),
        ('kind = "model_predicts"\npoints = 1\nx = 1', "it takes: none beside kind, points and title"),
        ('kind = "accuracy_vs_reference"\npoints = 1\nzero_at = 0.5', "zero_at must be below full_at"),
        (
            'kind = "notebook_runs"\npoints = 1\npartial = 3',
            "criteria.1.partial: Input should be less than or equal to 1",
        ),
    ],
)
def test_a_wrong_criterion_is_named_with_its_place(tmp_path: Path, criterion: str, said: str):
    with pytest.raises(AssignmentError) as caught:
        check(assignment(tmp_path, criterion))
    assert said in caught.value.message
    assert "assignment.toml:" in caught.value.message


def test_every_criterion_is_documented():
    page = (Path(__file__).parents[3] / "docs" / "criteria.md").read_text()
    for kind, module in kinds().items():
        assert f"| `{kind}` |" in page
        for option in module.Options.model_fields:
            assert f"`{option}`" in page


def test_the_line_is_flat_beyond_its_ends():
    assert [linear(x, 0, 10, 4) for x in (-1, 0, 5, 10, 99)] == [0, 0, 2, 4, 4]


def test_findings_stand_once_in_the_order_of_the_stages():
    one, two = finding("no-model"), finding("labels-missing")
    run = Execution(notebook=BLOB, code_cells=1, executed_cells=1, errors=(), produced=())
    found = evidence(execute=Done(value=run, findings=(one, two)), convert=Skipped(reason="x", findings=(one,)))
    assert found.findings() == (one, two)


@pytest.mark.parametrize(("task", "answers"), [("classification", "predict"), ("detection", "detect")])
def test_a_lost_answer_spoils_all_that_is_measured_of_a_model(task: Any, answers: str):
    """An engine that failed there once cost a detector its latency, board and backbone points."""
    works_on, stages = _WORKS_ON[task], STAGES_OF[task]
    assert {*works_on, *works_on.values()} <= set(stages)
    measured = {"evaluate", "score_boxes", "benchmark", "boards", "inspect", "detect_worse"} & set(stages)
    lost = {answers} if task == "detection" else {"convert"}
    assert all(_is_spoilt(stage, lost, works_on) for stage in measured)
    assert not _is_spoilt("read", lost, works_on) and not _is_spoilt("execute", lost, works_on)
