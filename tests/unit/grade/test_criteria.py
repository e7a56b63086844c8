"""Every criterion is a whole file: found by its folder, documented, tested; and each one's own rules."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from example_evidence import benchmark, evidence, execution
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.bench.boards.prediction import band
from harness.errors import AssignmentError
from harness.findings import finding
from harness.grading.rubric import ManualMark, check, grade
from harness.grading.rubric.criteria import (
    accuracy_vs_reference,
    board_latency_vs_reference,
    dataset,
    latency_vs_reference,
    notebook_runs,
    runs_unchanged,
)
from harness.grading.rubric.criterion import Judgement, kinds, linear
from harness.inputs.assignment import Assignment
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.boards import BoardLatency, BoardPredictions, BoardRatio
from harness.stages.evidence.execution import CellChange, FailedExecution
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.evidence.submission import STAGES

TESTS = Path(__file__).parent
FILE = 'title = "x"\n[held_out]\npath = "h"\n[reference]\ncode = "c"\n'


def assignment(folder: Path, *criteria: str) -> Assignment:
    text = FILE + "".join(f"[[criteria]]\n{criterion}\n" for criterion in criteria)
    (folder / "assignment.toml").write_text(text)
    return Assignment.model_validate({**tomllib.loads(text), "file": folder / "assignment.toml"})


# --- the folder ---------------------------------------------------------------------------------


def test_every_file_of_the_folder_is_a_criterion():
    folder = Path(accuracy_vs_reference.__file__).parent
    assert set(kinds()) == {file.stem for file in folder.glob("*.py")} - {"__init__"}


def test_an_accuracy_of_answers_that_depend_on_the_order_waits_for_a_person():
    found = evidence()
    scored = found.evaluate.value
    answered = accuracy_vs_reference.mark(found, accuracy_vs_reference.Options(), 45)
    assert answered.points is not None
    moved = found.evaluate.model_copy(update={"value": scored.model_copy(update={"depends_on_order": True})})
    waits = accuracy_vs_reference.mark(
        found.model_copy(update={"evaluate": moved}), accuracy_vs_reference.Options(), 45
    )
    assert waits.points is None and "A person" in waits.reason


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_criterion_is_whole(kind: str):
    module = kinds()[kind]
    assert module.TITLE and module.__doc__ and module.mark.__doc__
    assert set(module.READS) <= set(STAGES)
    assert module.Options() is not None, "every option has a default"
    with pytest.raises(ValidationError):
        module.Options(no_such_option=1)
    assert kind in "".join(file.read_text() for file in TESTS.glob("test_*.py")), "it has a test"


# --- rules for all ------------------------------------------------------------------------------


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(-1, -0.5), st.floats(-0.4, 1), st.floats(0.1, 100))
def test_more_accuracy_is_never_fewer_points_and_points_stay_in_bounds(one, two, zero_at, full_at, most):
    low, high = sorted((one, two))
    points = [linear(value, zero_at, full_at, most) for value in (low, high)]
    assert 0 <= points[0] <= points[1] <= most


def test_the_sum_is_of_the_rounded_marks(tmp_path: Path):
    thirds = [f'kind = "notebook_runs"\ntitle = "{name}"\npoints = 1\npartial = 1' for name in "abc"]
    stopped = FailedExecution(status="failed", reason="Cell 2 stopped.", execution=execution(1, 3))
    graded = grade(assignment(tmp_path, *thirds), evidence(execute=stopped), {})
    assert [mark.points for mark in graded.marks] == [0.33] * 3
    assert graded.points == 0.99


LOST = Skipped(reason="The engine failed 3 times.", findings=(finding("engine-failed", detail="x"),))
NONE = Skipped(reason="There is no usable model.")
HALF = FailedExecution(status="failed", reason="Cell 2 stopped.", execution=execution(1, 2))
RUNS, PREDICTS = 'kind = "notebook_runs"\npoints = 10', 'kind = "model_predicts"\npoints = 10'
LATENCY, QUESTIONS = 'kind = "latency_vs_reference"\npoints = 10', 'kind = "manual"\ntitle = "Questions"\npoints = 5'


def test_a_lost_stage_spoils_what_works_on_it_and_nothing_else(tmp_path: Path):
    rubric = assignment(tmp_path, RUNS, PREDICTS, LATENCY)
    graded = grade(rubric, evidence(execute=HALF, benchmark=LOST), {})
    assert [mark.points for mark in graded.marks] == [2.5, 10, None]
    graded = grade(rubric, evidence(convert=LOST, predict=NONE, evaluate=NONE, benchmark=NONE), {})
    assert [mark.points for mark in graded.marks] == [10, None, None]
    assert graded.status == "needs-review"
    assert graded.marks[1].reason.startswith("The grading machine failed, not the submission, ")


def test_a_lost_stage_that_no_criterion_reads_is_looked_at_once(tmp_path: Path):
    rubric = assignment(tmp_path, PREDICTS, QUESTIONS)
    assert grade(rubric, evidence(inspect=LOST), {}).status == "needs-review"
    assert grade(rubric, evidence(inspect=LOST), {"Questions": ManualMark(3, "Fine.", "jo")}).status == "graded"


def test_a_failed_hand_in_stays_failed_when_its_questions_are_marked(tmp_path: Path):
    found = evidence(execute=HALF, convert=Failed(status="rejected", reason="Corrupt."), predict=NONE, evaluate=NONE)
    graded = grade(assignment(tmp_path, PREDICTS, QUESTIONS), found, {"Questions": ManualMark(3, "Fine.", "jo")})
    assert (graded.status, graded.points) == ("failed", 3)


def test_a_person_overrules_the_harness(tmp_path: Path):
    title = kinds()["model_predicts"].TITLE
    [mark] = grade(
        assignment(tmp_path, PREDICTS), evidence(predict=NONE), {title: ManualMark(4, "It did for me.", "jo")}
    ).marks
    assert (mark.points, mark.reason) == (4, "It did for me. (jo)")


def test_a_mark_above_the_points_that_there_are_now_is_open_again(tmp_path: Path):
    graded = grade(assignment(tmp_path, QUESTIONS), evidence(), {"Questions": ManualMark(8, "Fine.", "jo")})
    assert (graded.status, graded.marks[0].points) == ("needs-review", None)
    assert "more than the 5 there are now" in graded.marks[0].reason


def test_two_criteria_of_one_title_are_an_error(tmp_path: Path):
    """A person's mark is entered by title."""
    with pytest.raises(
        AssignmentError, match=r"assignment\.toml:\d+  criteria\.2\.title: two criteria are called 'Same'"
    ):
        check(assignment(tmp_path, RUNS + '\ntitle = "Same"', PREDICTS + '\ntitle = "Same"'))


def test_an_empty_notebook_alone_is_nothing_to_grade(tmp_path: Path):
    found = evidence(execute=Done(value=execution(0, 0)), predict=NONE, evaluate=NONE, benchmark=NONE)
    assert grade(assignment(tmp_path, RUNS, PREDICTS), found, {}).status == "failed"


# --- notebook_runs, latency_vs_reference ---------------------------------------------------------


def test_a_notebook_without_code_is_no_points():
    judged = notebook_runs.mark(evidence(execute=Done(value=execution(0, 0))), notebook_runs.Options(), 10)
    more = "A notebook whose cells all run, from the first to the last, earns all 10 points."
    assert judged == Judgement(0.0, "The notebook has no code to run.", more=more)


def test_a_model_that_answered_otherwise_while_it_was_timed_waits_for_a_person():
    timed = benchmark().model_copy(update={"outputs_agree": False})
    judged = latency_vs_reference.mark(evidence(benchmark=Done(value=timed)), latency_vs_reference.Options(), 10)
    assert judged.points is None


def test_a_model_that_may_keep_a_state_waits_for_a_person_and_is_told_why():
    timed = benchmark().model_copy(update={"stateful_operators": ("RandomUniform",)})
    judged = latency_vs_reference.mark(evidence(benchmark=Done(value=timed)), latency_vs_reference.Options(), 10)
    assert judged.points is None and "RandomUniform" in judged.reason


@pytest.mark.parametrize(
    ("ratio", "interval", "points"),
    [
        (4.0, (3.6, 4.4), 60 / 8.5),  # 0.8 / 8.5 of the points wide
        (4.0, (3.5, 4.4), None),  # 0.9 / 8.5
        (1.0, (0.5, 1.5), 10),  # all points from end to end
        (20.0, (10.0, 40.0), 0),
        (9.5, (9.0, 30.0), None),
    ],
)
def test_an_interval_wider_than_a_tenth_of_the_points_waits_for_a_person(ratio, interval, points):
    timed = benchmark().model_copy(update={"ratio": ratio, "ratio_interval": interval})
    judged = latency_vs_reference.mark(evidence(benchmark=Done(value=timed)), latency_vs_reference.Options(), 10)
    assert judged.points == (None if points is None else pytest.approx(points))
    assert ("A person decides" in judged.reason) == (points is None)


def test_the_ends_of_each_latency_criterion_are_known_to_the_timing(tmp_path: Path):
    strict = 'kind = "latency_vs_reference"\ntitle = "Strictly"\nfull_at = 1\nzero_at = 3\npoints = 2'
    rubric = assignment(tmp_path, LATENCY, PREDICTS, strict)
    assert latency_vs_reference.anchors(rubric.criteria) == ((1.5, 10.0), (1.0, 3.0))


@pytest.mark.parametrize(
    ("own", "shown"), [(11.83, "12 ms"), (0.026789, "0.027 ms"), (1234.5, "1,200 ms"), (98765.0, "99,000 ms")]
)
def test_a_latency_is_told_as_coarsely_as_on_the_students_page(own: float, shown: str):
    timed = benchmark()
    timed = timed.model_copy(update={"model": timed.model.model_copy(update={"p50_ms": own})})
    judged = latency_vs_reference.mark(evidence(benchmark=Done(value=timed)), latency_vs_reference.Options(), 10)
    assert judged.reason.startswith(f"One image takes {shown} (median), ")
    times = re.findall(r"([0-9.,]+) ms", judged.reason)
    assert [len(time.replace(",", "").strip("0.").replace(".", "")) <= 2 for time in times] == [True, True]


# --- dataset ------------------------------------------------------------------------------------


def data_set(*codes: str) -> Any:
    found = {
        "dataset-leak": {"count": "3 images", "example": "a is b"},
        "dataset-burst": {"what": "2 images", "example": "a and b"},
        "dataset-too-many-classes": {"classes": 12, "most": 10},
        "dataset-too-few-classes": {"classes": 1, "least": 3},
    }
    audit = DatasetAudit(classes={"ball": 40, "mug": 50}, unreadable=())
    return evidence(audit=Done(value=audit, findings=tuple(finding(code, **found[code]) for code in codes)))


def test_dataset_a_clean_one_gets_all_points():
    judged = dataset.mark(data_set(), dataset.Options(), 20)
    assert judged.points == 20 and "90 readable images in 2 classes" in judged.reason


def test_dataset_each_fault_costs_its_share_once_and_never_more_than_all():
    one = dataset.mark(data_set("dataset-leak", "dataset-burst"), dataset.Options(), 20)
    assert one.points == pytest.approx(8) and "one photograph in two splits, 40%" in one.reason
    assert "one photograph in two splits (up to 8 points)" in one.more
    twice = dataset.mark(data_set("dataset-too-many-classes", "dataset-too-few-classes"), dataset.Options(), 20)
    assert twice.points == pytest.approx(14)
    all_of_it = dataset.mark(data_set("dataset-leak", "dataset-burst"), dataset.Options(leak=1, burst=1), 20)
    assert all_of_it.points == 0


def test_dataset_faults_that_cost_nothing_are_told_as_such():
    free = dataset.mark(data_set("dataset-leak"), dataset.Options(leak=0), 20)
    assert (free.points, free.more) == (20, "") and "take no points here" in free.reason


def test_dataset_none_is_none():
    assert dataset.mark(evidence(), dataset.Options(), 20).points == 0


# --- runs_unchanged -----------------------------------------------------------------------------


def test_each_rule_that_was_needed_takes_its_share_once():
    changes = (
        CellChange(cell=1, rules=("paths", "pip_install"), difference=()),
        CellChange(cell=2, rules=("paths",), difference=()),
    )
    ran = evidence(execute=Done(value=execution().model_copy(update={"changes": changes})))
    options = runs_unchanged.Options
    both = runs_unchanged.mark(ran, options(), 8)
    assert both.points == 4.0 and "2 rules, so that it runs here: paths, pip install." in both.reason
    assert "earns all 8 points: paths, pip install." in both.more
    assert runs_unchanged.mark(ran, options(free=("pip_install",)), 8).points == 6.0
    assert runs_unchanged.mark(ran, options(per_rule=1), 8).points == 0.0
    assert runs_unchanged.mark(evidence(), options(), 8).points == 8.0
    assert runs_unchanged.mark(evidence(execute=Skipped(reason="None handed in.")), options(), 8).points == 0.0


# --- board_latency_vs_reference -----------------------------------------------------------------


def on_boards(*ratios: tuple[str, float], fits: bool = True) -> BoardPredictions:
    rows = [
        BoardLatency(
            board=board,
            runtime="tensorrt",
            precision="fp16",
            latency_ms=10 * ratio,
            interval_90=(5 * ratio, 20 * ratio),
            fits=fits,
            versus_reference=BoardRatio(
                reference_ms=10.0, ratio=ratio, interval_90=(ratio / 1.5, ratio * 1.5), band=band(ratio)
            ),
        )
        for board, ratio in ratios
    ]
    return BoardPredictions(model="x", boards=tuple(rows))


def by_board(board_predictions: BoardPredictions, **options: str) -> Judgement:
    module = board_latency_vs_reference
    return module.mark(evidence(boards=Done(value=board_predictions)), module.Options(**options), 6.0)


@pytest.mark.parametrize(("ratio", "points"), [(0.3, 6.0), (1.0, 6.0), (1.25, 6.0), (1.9, 4.0), (4.0, 2.0), (9.0, 0.0)])
def test_a_band_on_the_board_decides_and_no_millisecond(ratio: float, points: float):
    judged = by_board(on_boards(("Jetson Nano 4GB", ratio)))
    assert judged.points == pytest.approx(points)
    assert f"{ratio:.2f} times the reference's time there" in judged.reason and repr(band(ratio)) in judged.reason


def test_within_a_band_the_ratio_does_not_count():
    near, far = (by_board(on_boards(("Jetson Nano 4GB", ratio))) for ratio in (1.3, 1.99))
    assert near.points == far.points


def test_of_several_boards_the_worst_counts():
    judged = by_board(on_boards(("Jetson Nano 4GB", 1.0), ("Jetson Orin Nano 8GB", 3.0)))
    assert judged.points == pytest.approx(2.0) and "Jetson Orin Nano 8GB" in judged.reason


def test_the_bands_can_be_chosen_and_have_an_order():
    strict = by_board(on_boards(("Jetson Nano 4GB", 1.0)), full_at="faster", zero_at="slower")
    assert strict.points == pytest.approx(3.0)
    with pytest.raises(ValidationError, match="slower band"):
        board_latency_vs_reference.Options(full_at="slower", zero_at="as fast")


def test_what_does_not_fit_or_is_not_predicted_waits_for_a_person():
    assert by_board(on_boards(("Jetson Nano 2GB", 1.0), fits=False)).points is None
    assert by_board(BoardPredictions(model="x", reason="Nobody publishes the peaks of these boards.")).points is None


def test_a_network_inside_an_operator_that_is_not_looked_into_waits_for_a_person():
    """Wrapped in an If, it would be predicted to take no time."""
    hidden = on_boards(("Jetson Nano 4GB", 0.1)).model_copy(update={"not_listed": ("If",)})
    judged = by_board(hidden)
    assert judged.points is None and "If" in judged.reason
    module = board_latency_vs_reference
    assert module.mark(evidence(), module.Options(), 6.0).points is None
    without = evidence(predict=Skipped(reason="There is no usable model."))
    assert module.mark(without, module.Options(), 6.0).points == 0.0


def test_the_criterion_needs_a_board(tmp_path: Path):
    asked = 'kind = "board_latency_vs_reference"\npoints = 6'
    with pytest.raises(AssignmentError, match="needs a board"):
        check(assignment(tmp_path, asked))
    with_board = assignment(tmp_path, asked).model_copy(update={"boards": ("jetson-nano",)})
    check(with_board)
