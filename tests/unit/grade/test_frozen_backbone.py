"""The criterion `frozen_backbone`: what layers that moved, are missing or were compressed cost."""

from typing import Any

import pytest
from example_evidence import conversion, evidence, inspection

from harness.grading.rubric.criteria import frozen_backbone
from harness.grading.rubric.criterion import Judgement
from harness.stages.evidence.inspection import Inspection, LayerComparison
from harness.stages.evidence.stage_result import Done, Failed, Skipped
from harness.stages.evidence.submission import OF_ANOTHER_TASK


def inspected(**changes: Any) -> Done[Inspection]:
    layers = tuple(LayerComparison(name=n, identical=False, relative_change=0.01) for n in "ab")
    moved = {"weights_say": "fine-tuned", "moved_layers": 2, "layers": layers, "median_change": 0.01}
    return Done(value=inspection(**(moved | changes)))


CONVERTED = Done(value=conversion())
NONE = Skipped(reason="There is no usable model.")


def frozen(result: Any, convert: Any = CONVERTED) -> Judgement:
    return frozen_backbone.mark(evidence(convert=convert, inspect=result), frozen_backbone.Options(), 10)


@pytest.mark.parametrize(("moved", "points"), [(0.0, 10), (0.05, 10), (0.275, 5), (0.5, 0), (1.3, 0)])
def test_layers_that_moved_cost_points_between_the_anchors(moved: float, points: float):
    judged = frozen(inspected(median_change=moved))
    assert judged.points == pytest.approx(points)
    assert (
        f"0 of 2 pre-trained mobilenet_v2 layers are as they were; they moved by {moved:.1%} (median)" in judged.reason
    )


def test_frozen_layers_are_all_points():
    same = tuple(LayerComparison(name=n, identical=True, relative_change=0.0) for n in "ab")
    judged = frozen(inspected(weights_say="feature-extraction", frozen_layers=2, layers=same, median_change=0.0))
    assert judged == Judgement(10, "2 of 2 pre-trained mobilenet_v2 layers are as they were.")


@pytest.mark.parametrize(("reused", "points"), [(3, 0), (5, 0), (15, 5), (25, 10), (50, 10)])
def test_a_part_of_a_backbone_is_a_part_of_the_points(reused: int, points: float):
    """Of 50 layers: none up to a tenth, all from a half, in equal steps between."""
    layers = tuple(
        LayerComparison(name=str(n), identical=n < reused, relative_change=0.0 if n < reused else None)
        for n in range(50)
    )
    says = "feature-extraction" if reused >= 13 else "little-reused"
    judged = frozen(inspected(weights_say=says, moved_layers=0, frozen_layers=reused, layers=layers, median_change=0.0))
    assert judged.points == pytest.approx(points)
    assert (f"The model has {reused} of the backbone's 50 layers" in judged.reason) is (reused < 25)


def test_rounding_and_pruning_cost_nothing_and_are_said():
    kept = {"weights_say": "feature-extraction", "moved_layers": 0, "frozen_layers": 2, "median_change": 0.0}
    judged = frozen(inspected(**kept, quantised_layers=2, zeros=0.3))
    assert judged.points == 10
    assert "apart from rounding and pruning (30% of their weights are zero)" in judged.reason


def test_what_only_a_person_can_judge_waits_for_one():
    beside = inspected(weights_say="mixed", beside_layers=20, total_parameters=100, new_parameters=80)
    assert frozen(beside).points is None and "80 of 100 parameters are new" in frozen(beside).reason
    assert frozen(inspected(weights_say="mixed", weights_used=None, why_unused="shared")).points is None
    assert frozen(inspected(weights_say="unknown")).points is None


def test_a_backbone_that_we_do_not_know_accuses_nobody():
    assert frozen(inspected(weights_say="from-scratch", backbone=None, layers=(), median_change=None)).points is None
    assert frozen(Skipped(reason="The model runs as it is.")).points is None


def test_no_model_has_no_frozen_layers():
    assert frozen(NONE, convert=Failed(status="rejected", reason="It is corrupt.")) == Judgement(
        0.0,
        "There is no model to inspect. It is corrupt.",
        more="Freeze the pre-trained layers before the first fit. If their weights change by 5% at most (median over "
        "the layers), that earns all 10 points.",
    )


@pytest.mark.parametrize(("detect", "points"), [(Done(value=None), None), (NONE, 0)])
def test_a_detector_without_a_graph_waits_and_one_that_is_not_there_costs_all(detect: Any, points: float | None):
    found = evidence(convert=NONE, inspect=NONE).model_copy(update={"predict": OF_ANOTHER_TASK, "detect": detect})
    assert frozen_backbone.mark(found, frozen_backbone.Options(), 10).points == points
