"""Each default against the docs, each boundary exactly, each code by itself."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from example_evidence import conversion, evaluation, evidence, execution, inspection
from example_scores import detectors_evidence
from pydantic import ValidationError

from harness.findings import KINDS, Finding, finding
from harness.grading.rubric import ManualMark, grade
from harness.grading.rubric.carried import held_back
from harness.grading.rubric.criteria import (
    accuracy_vs_reference,
    board_latency_vs_reference,
    dataset,
    frozen_backbone,
    latency_vs_reference,
)
from harness.grading.rubric.criterion import Judgement, kinds, linear
from harness.inputs.assignment import Assignment
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.boards import BoardLatency, BoardPredictions, BoardRatio
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.evidence.submission import STAGES, STAGES_OF

DOCS = Path(__file__).parents[3] / "docs" / "criteria.md"
NOT_THE_STUDENTS = ("engine-failed", "harness-defect", "machine-busy", "environment-missing", "weights-missing")
# A stage, and what works on its result at some remove.
SPOILS = {
    "execute": {"execute", "convert", "predict", "inspect", "evaluate", "boards", "benchmark"},
    "convert": {"convert", "predict", "inspect", "evaluate", "boards", "benchmark"},
    "predict": {"predict", "evaluate", "benchmark"},
    "inspect": {"inspect"},
    "evaluate": {"evaluate"},
    "boards": {"boards"},
    "benchmark": {"benchmark"},
    "audit": {"audit"},
}


def told(code: str) -> Finding:
    return Finding(code=code, severity=KINDS[code].severity, message="It happened.")


def assignment(*criteria: str) -> Assignment:
    text = 'title = "x"\n[held_out]\npath = "h"\n[reference]\ncode = "c"\n'
    return Assignment.model_validate(tomllib.loads(text + "".join(f"[[criteria]]\n{one}\n" for one in criteria)))


# --- defaults -----------------------------------------------------------------------------------


def documented(kind: str) -> dict[str, str]:
    """Option -> default, as the criterion's row has it."""
    [row] = [line for line in DOCS.read_text().splitlines() if line.startswith(f"| `{kind}` |")]
    return dict(re.findall(r"`(\w+)` \(([^)]*)\)", row.split(" | ")[2]))


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_default_is_the_documented_one(kind: str):
    options = kinds()[kind].Options()
    said = documented(kind)
    assert set(said) == set(type(options).model_fields)
    for name, text in said.items():
        value = getattr(options, name)
        assert value == (() if text == "none" else float(text) if isinstance(value, float) else text.strip('`"')), name


ANCHORS = [(accuracy_vs_reference, -1), (latency_vs_reference, 1), (frozen_backbone, 1)]


@pytest.mark.parametrize(("module", "towards_zero"), ANCHORS)
def test_anchors_that_are_equal_or_turned_round_are_refused(module: Any, towards_zero: int):
    module.Options(full_at=0.5, zero_at=0.5 + towards_zero * 0.01)
    for zero_at in (0.5, 0.5 - towards_zero * 0.01):
        with pytest.raises(ValidationError, match="zero_at must be"):
            module.Options(full_at=0.5, zero_at=zero_at)


@pytest.mark.parametrize(
    ("difference", "points"),
    [(0.0, 40), (-0.03, 40), (-0.04, 40 * 36 / 37), (-0.215, 20), (-0.39, 40 / 37), (-0.4, 0)],
)
def test_accuracy_without_options(difference: float, points: float):
    found = evidence(evaluate=Done(value=evaluation(difference=difference), origin="measured-outside"))
    judged = accuracy_vs_reference.mark(found, accuracy_vs_reference.Options(), 40)
    assert judged.points == pytest.approx(points, abs=1e-9)


def test_without_a_reference_no_accuracy_is_judged():
    for lacking in ("difference", "reference_accuracy", "difference_interval"):
        found = evidence(evaluate=Done(value=evaluation(**{lacking: None}), origin="measured-outside"))
        assert accuracy_vs_reference.mark(found, accuracy_vs_reference.Options(), 40).points is None


@pytest.mark.parametrize(("value", "share"), [(2, 1), (4, 0.5), (6, 0), (1, 1), (7, 0)])
def test_the_line_runs_down_as_well_as_up(value: float, share: float):
    assert linear(value, 6, 2, 10) == pytest.approx(10 * share)
    assert linear(-value, -6, -2, 10) == pytest.approx(10 * share)


# --- frozen_backbone, board_latency_vs_reference -----------------------------------------------


@pytest.mark.parametrize(("used", "points"), [(True, 10), (False, None), (None, None)])
def test_a_backbone_counts_only_where_the_answers_rest_on_it(used: bool | None, points: float | None):
    seen = Done(value=inspection(weights_used=used, median_change=0.0, frozen_layers=2))
    converted = Done(value=conversion())
    judged = frozen_backbone.mark(evidence(convert=converted, inspect=seen), frozen_backbone.Options(), 10)
    assert judged.points == points


@pytest.mark.parametrize(("fits", "points"), [(True, 6), (None, 6), (False, None)])
def test_a_board_of_unknown_memory_is_none_that_does_not_fit(fits: bool | None, points: float | None):
    row = BoardLatency(
        board="Nano", runtime="tensorrt", precision="fp16", latency_ms=1, interval_90=(1, 2), fits=fits,
        versus_reference=BoardRatio(reference_ms=1, ratio=1, interval_90=(1, 2), band="as fast"),
    )  # fmt: skip
    found = evidence(boards=Done(value=BoardPredictions(model="x", boards=(row,))))
    module = board_latency_vs_reference
    assert module.mark(found, module.Options(), 6).points == points


# --- dataset ------------------------------------------------------------------------------------

SHARES = {
    "leak": 0.01, "burst": 0.02, "shared": 0.03, "images": 0.04, "classes": 0.05, "mislabelled": 0.06,
    "unreadable": 0.07, "boxes": 0.08,
}  # fmt: skip
COSTS = {
    "dataset-leak": "leak",
    "dataset-burst": "burst",
    "dataset-shared-with-other": "shared",
    "dataset-too-few-images": "images",
    "dataset-too-few-classes": "classes",
    "dataset-too-many-classes": "classes",
    "dataset-mislabelled": "mislabelled",
    "dataset-two-labels": "mislabelled",
    "dataset-unreadable-images": "unreadable",
    "dataset-box-faults": "boxes",
}


def audited(*codes: str, later: tuple[str, ...] = ()) -> Any:
    audit = DatasetAudit(classes={"ball": 40, "mug": 50}, unreadable=())
    found = tuple(told(code) for code in codes)
    return evidence(audit=Done(value=audit, findings=found), later_findings=tuple(told(code) for code in later))


@pytest.mark.parametrize("code", sorted(code for code in KINDS if code.startswith("dataset-")))
def test_each_fault_of_a_data_set_costs_its_own_share(code: str):
    cost = SHARES[COSTS[code]] if code in COSTS else 0.0
    for found in (audited(code), audited(later=(code,))):
        assert dataset.mark(found, dataset.Options(**SHARES), 100).points == pytest.approx(100 * (1 - cost))


def test_all_faults_together_cost_the_sum_of_their_shares():
    judged = dataset.mark(audited(*COSTS), dataset.Options(**SHARES), 100)
    assert judged.points == pytest.approx(100 * (1 - sum(SHARES.values())))


# --- what the machine lost ----------------------------------------------------------------------

RUNS = 'kind = "notebook_runs"\npoints = 10'
MODEL = 'kind = "model_predicts"\npoints = 10'
BY_STAGE = {
    "audit": 'kind = "dataset"\npoints = 10',
    "execute": RUNS,
    "predict": MODEL,
    "evaluate": 'kind = "accuracy_vs_reference"\npoints = 10',
    "boards": 'kind = "board_latency_vs_reference"\npoints = 10',
    "benchmark": 'kind = "latency_vs_reference"\npoints = 10',
}


@pytest.mark.parametrize("code", NOT_THE_STUDENTS)
def test_each_fault_of_the_machine_opens_the_mark(code: str):
    lost = Skipped(reason="It was lost.", findings=(told(code),))
    graded = grade(assignment(RUNS), evidence(execute=lost), {})
    assert (graded.status, graded.marks[0].points) == ("needs-review", None)
    assert graded.marks[0].reason.startswith("The grading machine failed, not the submission")


def test_no_other_finding_opens_a_mark():
    for code in set(KINDS) - set(NOT_THE_STUDENTS):
        found = evidence(execute=Skipped(reason="No notebook.", findings=(told(code),)))
        assert grade(assignment(RUNS), found, {}).marks[0].points == 0, code


@pytest.mark.parametrize("lost", SPOILS)
@pytest.mark.parametrize("read", BY_STAGE)
def test_a_lost_stage_spoils_those_that_work_on_it(lost: str, read: str):
    none = Skipped(reason="There is no usable model.")
    changes: dict[str, Any] = dict.fromkeys(("audit", "execute", "convert", "predict", "inspect", "evaluate"), none)
    changes |= {"boards": none, "benchmark": none}
    changes[lost] = Skipped(reason="It was lost.", findings=(told("engine-failed"),))
    [mark] = grade(assignment(BY_STAGE[read]), evidence(**changes), {}).marks
    waits = mark.points is None and mark.reason.startswith("The grading machine failed, not the submission")
    # Without a model its speed is 0 points, and so spoilt; with a reason of its own it waits anyhow.
    assert waits == (read in SPOILS[lost])


def test_full_marks_with_a_lost_stage_stand():
    run = Done(value=execution(), findings=(told("machine-busy"),), origin="measured-inside")
    graded = grade(assignment(RUNS, 'kind = "manual"\ntitle = "Q"\npoints = 1'), evidence(execute=run), {})
    assert graded.marks[0].points == 10


def test_what_only_shows_when_a_model_fails_is_not_waited_for():
    lost = Skipped(reason="It was lost.", findings=(told("engine-failed"),))
    for of_task, found in ((STAGES_OF["classification"], evidence()), (STAGES_OF["detection"], detectors_evidence())):
        for stage in set(of_task) - {"execute", "predict"}:
            status = "graded" if stage in ("stress", "detect_worse") else "needs-review"
            assert grade(assignment(RUNS), found.model_copy(update={stage: lost}), {}).status == status, stage


# --- a person's mark ----------------------------------------------------------------------------

QUESTIONS = 'kind = "manual"\ntitle = "Q"\npoints = 5'


@pytest.mark.parametrize(("given", "points"), [(0, 0), (5, 5), (5.01, None)])
def test_a_person_gives_up_to_all_points(given: float, points: float | None):
    [mark] = grade(assignment(QUESTIONS), evidence(), {"Q": ManualMark(given, "Fine.", "jo")}).marks
    assert mark.points == points


def test_points_are_rounded_to_two_decimals():
    [mark] = grade(assignment(QUESTIONS), evidence(), {"Q": ManualMark(1.23456, "Fine.", "")}).marks
    assert (mark.points, mark.reason) == (1.23, "Fine.")


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_rerun_may_have_carried_in_holds_back_points_for_the_model_alone(stage: str):
    named = finding("embedded-in-dataset", information=9000, usual=1536)
    found = evidence(execute=Done(value=execution(), findings=(named,)))
    held = held_back(Judgement(3.0, "x"), (stage,), found)
    of_the_model = {"convert", "predict", "detect", "inspect", "evaluate", "score_boxes", "boards", "benchmark"}
    assert (held.points is None) == (stage in of_the_model)


def test_an_accuracy_that_rests_on_a_guess_in_doubt_waits_unless_it_has_all_points():
    found = evidence()
    scored = found.evaluate.value
    for difference, points in ((-0.2, None), (0.0, 45)):
        changed = scored.model_copy(update={"unsettled": True, "difference": difference})
        moved = found.evaluate.model_copy(update={"value": changed})
        judged = accuracy_vs_reference.mark(
            found.model_copy(update={"evaluate": moved}), accuracy_vs_reference.Options(), 45
        )
        assert judged.points == points and ("A person" in judged.reason) == (points is None)
