"""What would have earned more: said where points are missing, by what was measured where something was."""

from __future__ import annotations

from typing import Any

import pytest
from example_evidence import benchmark, evaluation, evidence

from harness.grading.rubric.criteria import accuracy_vs_reference, latency_vs_reference
from harness.grading.rubric.criterion import Judgement
from harness.stages.evidence.evaluation import Remedy
from harness.stages.evidence.stage_result import Done


def by_accuracy(**changes: Any) -> Judgement:
    score = evaluation(reference_accuracy=0.92, difference_interval=(-0.8, -0.6), mcnemar_p=0.0, **changes)
    return accuracy_vs_reference.mark(evidence(evaluate=Done(value=score)), accuracy_vs_reference.Options(), 45)


def test_a_measured_fix_is_named_with_both_accuracies_and_its_points() -> None:
    fix = Remedy(of="preprocessing", to="torchvision-imagenet", accuracy=0.225, would=0.9, images=40)
    judged = by_accuracy(accuracy=0.225, difference=-0.695, remedies=(fix,))
    assert judged.points == 0
    assert judged.more == (
        'Use the pixel scaling of preprocess="torchvision-imagenet": 22.5% -> 90.0% of 40 images are right. '
        "That would earn about 45.0 of 45 points."
    )


@pytest.mark.parametrize(
    ("of", "to", "said"),
    [
        ("preprocessing", "raw-0-255", 'preprocess="none": '),
        ("preprocessing", "colours-swapped", "Swap red and blue in the declared pre-processing: "),
        ("labels", "mug, ball", "Write the labels in this order: mug, ball: "),
    ],
)
def test_a_fix_is_said_as_its_author_would_write_it(of: Any, to: str, said: str) -> None:
    fix = Remedy(of=of, to=to, accuracy=0.3, would=0.5, images=150)
    assert said in by_accuracy(accuracy=0.3, difference=-0.62, remedies=(fix,)).more


def test_without_a_fix_it_is_the_accuracy_for_all_points() -> None:
    assert by_accuracy(difference=-0.2).more == "A model that is right on 89.0% of these images earns all 45 points."
    assert by_accuracy(difference=0.0).more == ""


def test_the_time_for_all_points_is_no_finer_than_the_student_s_page_shows() -> None:
    timed = benchmark()
    reference = timed.reference.model_copy(update={"p50_ms": 22.3456})
    slow = timed.model_copy(update={"ratio": 4.0, "ratio_interval": (3.95, 4.05), "reference": reference})
    judged = latency_vs_reference.mark(evidence(benchmark=Done(value=slow)), latency_vs_reference.Options(), 10)
    assert "takes 33 ms at most for one image (1.5 times the reference's time)" in judged.more
