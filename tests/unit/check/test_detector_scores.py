"""The reference detector's published scores stand in for it: what is known of a difference, and what is no score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from example_scores import detectors_evidence
from pydantic import ValidationError

from harness.errors import AssignmentError
from harness.grading.check.scores import apart, with_detector_scores
from harness.grading.rubric.criteria import ap_vs_reference, counts_right
from harness.inputs.detector_scores import DetectorScores
from harness.inputs.student_package import read_package
from harness.stages.evidence.stage_result import Done

SCORES: dict[str, Any] = {
    "schema": 1, "task": "detection", "backbone": "mobilenet_v2", "images_sha256": "0" * 64, "images": 50, "ap50": 0.8,
    "ap50_interval": [0.7, 0.9], "ap": 0.4, "ap_interval": [0.3, 0.5], "per_class": {"cup": 0.8, "duck": None},
    "exact_share": 0.6, "exact_interval": [0.46, 0.72],
}  # fmt: skip


def test_both_criteria_can_be_told_from_the_scores():
    nothing = dict.fromkeys(("reference_ap50", "reference_ap", "difference", "difference_interval"))
    before = detectors_evidence(**nothing, reference_exact_share=None, exact_difference_interval=None)
    assert ap_vs_reference.mark(before, ap_vs_reference.Options(), 10).points is None
    after = with_detector_scores(before, DetectorScores.model_validate(SCORES))
    assert isinstance(after.score_boxes, Done)
    score = after.score_boxes.value
    assert (score.reference_ap50, score.reference_ap, score.reference_exact_share) == (0.8, 0.4, 0.6)
    assert score.difference == pytest.approx(score.scores.ap50 - 0.8)
    for criterion in (ap_vs_reference, counts_right):
        judged = criterion.mark(after, criterion.Options(), 10)
        assert judged.points == 10 and judged.points_interval[0] < 10


def test_the_interval_of_a_difference_is_that_of_independent_samples():
    """Zou and Donner: with symmetric intervals the margins add as squares do."""
    low, high = apart(0.6, (0.5, 0.7), 0.5, (0.4, 0.6))
    assert (low, high) == pytest.approx((0.1 - 0.02**0.5, 0.1 + 0.02**0.5))


def test_a_package_with_a_detectors_scores_is_read(tmp_path: Path):
    (tmp_path / "assignment.toml").write_text('title = "x"')
    (tmp_path / "reference_scores.json").write_text(json.dumps(SCORES))
    read = read_package(tmp_path)
    assert read.scores is None and read.detector == DetectorScores.model_validate(SCORES)
    (tmp_path / "reference_scores.json").write_text(json.dumps(SCORES | {"ap50": 0.95}))
    with pytest.raises(AssignmentError, match="not between"):
        read_package(tmp_path)


@pytest.mark.parametrize("change", [{"weights": "x"}, {"ap": 1.5}, {"per_class": {}}, {"images": 0}])
def test_other_things_are_no_scores(change: dict[str, Any]):
    with pytest.raises(ValidationError):
        DetectorScores.model_validate(SCORES | change)
