"""The criteria of a detection assignment: each by itself, and those that both tasks have."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from example_detector import detector_answers, kept_nowhere
from example_evidence import BLOB, evidence
from example_scores import coco, detectors_evidence
from pydantic import ValidationError

from harness.findings import finding
from harness.grading.rubric import grade
from harness.grading.rubric.criteria import ap_vs_reference, counts_right, latency_vs_reference, model_predicts
from harness.grading.rubric.criterion import Judgement
from harness.inputs.assignment import Assignment
from harness.stages.evidence.detection_scores import LabelRemedy, ScalingRemedy
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.evidence.submission import OF_ANOTHER_TASK, Evidence

AP = 'kind = "ap_vs_reference"\npoints = 10'


def assignment(*criteria: str) -> Assignment:
    text = 'title = "x"\n[held_out]\npath = "h"\n[reference]\ncode = "c"\n'
    return Assignment.model_validate(tomllib.loads(text + "".join(f"[[criteria]]\n{one}\n" for one in criteria)))


def by_ap(options: dict[str, Any] | None = None, **changes: Any) -> Judgement:
    return ap_vs_reference.mark(detectors_evidence(**changes), ap_vs_reference.Options(**options or {}), 45)


def by_counts(options: dict[str, Any] | None = None, **changes: Any) -> Judgement:
    return counts_right.mark(detectors_evidence(**changes), counts_right.Options(**options or {}), 45)


@pytest.mark.parametrize(
    ("difference", "points"), [(0.0, 45), (-0.05, 45), (-0.06, 44), (-0.275, 22.5), (-0.5, 0), (-0.8, 0)]
)
def test_ap_is_linear_between_its_anchors(difference: float, points: float):
    assert by_ap(difference=difference).points == pytest.approx(points, abs=1e-9)


def test_the_mark_has_the_interval_of_the_difference_and_its_numbers():
    judged = by_ap()
    assert judged.points == pytest.approx(40) and judged.points_interval == pytest.approx((30, 45))
    assert "an AP50 of 0.800 on 50 images, the reference 0.900" in judged.reason
    assert "-0.100 (95 % interval -0.200 to +0.000)" in judged.reason
    assert judged.more == "A detector with an AP50 of 0.850 on these images earns all 45 points."


def test_the_mean_over_ious_is_another_measure():
    judged = by_ap({"measure": "ap"})
    assert judged.points == 45 and judged.points_interval == pytest.approx((35, 45))
    assert "an AP of 0.500 on 50 images, the reference 0.550" in judged.reason


def test_labels_that_were_measured_to_be_others_are_named_with_their_points():
    wrong = LabelRemedy(names=("BACKGROUND", "cup", "duck"), ap50=0.1, would=0.8)
    judged = by_ap(remedy=wrong, difference=-0.8, scores=coco(0.05, 0.1))
    assert judged.points == 0
    assert judged.more == (
        "Write the labels in this order: BACKGROUND, cup, duck. AP50 would be 0.800 instead of 0.100. "
        "That would earn about 40.0 of 45 points."
    )
    assert "would earn" not in by_ap({"measure": "ap"}, remedy=wrong, ap_difference=-0.5).more


def test_a_scaling_that_was_measured_to_fit_is_named_with_its_points_and_the_better_remedy_comes_first():
    pixels = ScalingRemedy(way="pixels from 0 to 1", ap50=0.1, would=0.8)
    judged = by_ap(scaling_remedy=pixels, difference=-0.8, scores=coco(0.05, 0.1))
    assert judged.points == 0
    assert judged.more == (
        "Declare in handin.json how the pixels are scaled: pixels from 0 to 1. AP50 would be 0.800 instead of 0.100. "
        "That would earn about 40.0 of 45 points."
    )
    names = LabelRemedy(names=("BACKGROUND", "cup"), ap50=0.1, would=0.3)
    both = by_ap(scaling_remedy=pixels, remedy=names, difference=-0.8).more
    assert both.index("handin.json") < both.index("Write the labels")
    worse = pixels.model_copy(update={"would": 0.05})
    assert "handin.json" not in by_ap(scaling_remedy=worse, difference=-0.8).more


@pytest.mark.parametrize("lacking", ["reference_ap50", "difference", "difference_interval"])
def test_without_a_reference_no_ap_is_judged(lacking: str):
    assert by_ap(**{lacking: None}).points is None


def test_scores_that_say_nothing_wait_for_a_person():
    assert by_ap(depends_on_order=True).points is None and by_counts(depends_on_order=True).points is None
    unsettled = by_ap(unsettled=True)
    assert unsettled.points is None and "does not declare what its labels mean" in unsettled.reason
    assert by_ap(unsettled=True, difference=0.0).points == 45, "no other meaning could give more"


def test_counts_are_compared_with_the_references():
    judged = by_counts()
    assert judged.points == pytest.approx(30) and judged.points_interval == pytest.approx((15, 45))
    assert "on 30 of 50 images (60.0%), with the reference on 80.0%" in judged.reason
    assert judged.more == "A detector that counts right on 75.0% of these images earns all 45 points."
    assert by_counts(reference_exact_share=None).points is None


def test_counts_can_be_marked_by_themselves():
    options = {"against": "images", "full_at": 0.9, "zero_at": 0.3}
    judged = by_counts(options, reference_exact_share=None)
    assert judged.points == pytest.approx(22.5) and judged.points_interval == pytest.approx((12, 31.5))
    assert "interval 46.0 % to 72.0 %" in judged.reason and "90 % or more earn all points" in judged.reason


@pytest.mark.parametrize("module", [ap_vs_reference, counts_right])
def test_anchors_that_are_equal_or_turned_round_are_refused(module: Any):
    for zero_at in (0.5, 0.6):
        with pytest.raises(ValidationError, match="zero_at must be below full_at"):
            module.Options(full_at=0.5, zero_at=zero_at)
    assert module.Options(full_at=0.5, zero_at=0.49).full_at == 0.5


def test_anchors_of_another_scale_are_refused():
    with pytest.raises(ValidationError, match="a share of the images"):
        counts_right.Options(against="images")


NOT_SCORED = Skipped(reason="The model gave no usable answers.")


@pytest.mark.parametrize("module", [ap_vs_reference, counts_right])
def test_no_boxes_no_points(module: Any):
    judged = module.mark(evidence(score_boxes=NOT_SCORED), module.Options(), 10)
    assert judged.points == 0 and NOT_SCORED.reason in judged.reason


def detecting(result: Any, **changes: Any) -> Evidence:
    return evidence(predict=OF_ANOTHER_TASK, evaluate=OF_ANOTHER_TASK, detect=result, **changes)


ANSWERED = Done(value=detector_answers(kept_nowhere(BLOB)), origin="measured-inside")


def test_a_detector_predicts_where_it_detects():
    options = model_predicts.Options()
    judged = model_predicts.mark(detecting(ANSWERED), options, 10)
    assert judged.points == 10 and "all 2 held-out images" in judged.reason
    judged = model_predicts.mark(detecting(Failed(status="rejected", reason="Its scores are NaN.")), options, 10)
    assert (judged.points, judged.reason) == (0, "Its scores are NaN.")


def test_a_detector_is_timed_like_any_model():
    options = latency_vs_reference.Options()
    assert latency_vs_reference.mark(detecting(ANSWERED), options, 10).points == 10
    assert latency_vs_reference.mark(detecting(NOT_SCORED), options, 10).points == 0


def test_what_the_machine_lost_of_a_detector_costs_nobody_points():
    lost = Skipped(reason="It was lost.", findings=(finding("engine-failed", detail=""),))
    graded = grade(assignment(AP), detecting(lost, score_boxes=NOT_SCORED), {})
    assert (graded.status, graded.marks[0].points) == ("needs-review", None)
    assert graded.marks[0].reason.startswith("The grading machine failed, not the submission")


def test_boxes_that_only_own_code_reports_earn_nothing():
    said = detectors_evidence(difference=0.0)
    said = said.model_copy(update={"detect": said.detect.model_copy(update={"origin": "self-reported"})})
    assert grade(assignment(AP), said, {}).marks[0].points is None
    assert grade(assignment(AP), detectors_evidence(difference=0.0), {}).marks[0].points == 10


def test_a_detector_without_a_notebook_is_no_failed_submission():
    nothing = Skipped(reason="No notebook was handed in.")
    assert grade(assignment(AP), detectors_evidence().model_copy(update={"execute": nothing}), {}).status == "graded"
