"""What a notebook says, against what was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from example_evidence import evaluation, evidence, execution
from example_scores import detectors_evidence

from harness.stages.evaluate.comparison import compare
from harness.stages.evaluate.scenes import Scenes
from harness.stages.evidence.evaluation import PairedDifference
from harness.stages.evidence.reading import Claim, NotebookReading, PrecisionClaim, Shown
from harness.stages.evidence.stage_result import Done, Skipped
from harness.stages.evidence.submission import Evidence
from harness.stages.reported_accuracy import against_measurement, shown_by


def with_claim(accuracy: float, kind: str = "test", **changes: object) -> Evidence:
    claim = Claim(kind=kind, accuracy=accuracy, cell=7, words="Test accuracy: ...")  # type: ignore[arg-type]
    reading = NotebookReading(code_cells=9, shown=Shown(has_outputs=True, claim=claim))
    return evidence(read=Done(value=reading), **changes)


def codes(found: Evidence) -> list[str]:
    return [one.code for one in against_measurement(found)]


def test_a_reported_accuracy_far_above_the_measured_one_is_a_finding() -> None:
    measured = evaluation()
    low, high = measured.accuracy_interval
    assert codes(with_claim(high + 0.06)) == ["accuracy-claim-differs"]
    assert codes(with_claim(high + 0.04)) == codes(with_claim(low - 0.3)) == []
    assert codes(with_claim(1.0, "training")) == codes(with_claim(1.0, "validation")) == []
    assert codes(with_claim(1.0, evaluate=Skipped(reason="x"))) == []


def differing(wins: int, losses: int, images: int = 150, scene: int = 1) -> PairedDifference:
    """The rerun's model is right alone on the first `wins` images, and the handed-in one on the `losses` after them."""
    number = np.arange(images)
    right, other_right = number >= losses, (number < losses) | (number >= losses + wins)
    return compare(right, other_right, Scenes(number // scene))


def test_both_models_are_compared_on_the_same_images() -> None:
    """An accuracy within the other's interval once was `reproduced`, also where the two differ on 12 images of 12."""
    rerun = evaluation(accuracy=0.87)
    (found,) = against_measurement(evidence(rerun=rerun, rerun_difference=differing(0, 12)))
    assert found.code == "not-reproduced"
    assert "87.0%" in found.message and "difference -8.0% [-1" in found.message and "p = 0.000" in found.message
    assert codes(evidence(rerun=rerun, rerun_difference=differing(6, 18))) == ["not-reproduced"]
    assert codes(evidence(rerun=rerun, rerun_difference=differing(12, 18))) == ["reproduced"]
    assert codes(evidence(rerun=rerun, rerun_difference=differing(0, 0))) == ["reproduced"]


def test_images_of_one_scene_are_no_evidence_of_their_own() -> None:
    """One scene of 12 images on which the rerun's model fails is one chance event."""
    assert codes(evidence(rerun=evaluation(), rerun_difference=differing(0, 12, scene=12))) == ["reproduced"]


def test_a_run_that_made_nothing_new_reproduces_nothing() -> None:
    """A model handed in and touched during the run once was `reproduced`."""
    same, difference = evaluation(), differing(0, 0)
    assert codes(evidence(rerun=None, rerun_made="nothing")) == ["rerun-made-nothing"]
    assert codes(evidence(rerun=same, rerun_made="same-answers")) == ["rerun-saved-again"]
    assert codes(evidence(rerun=same, rerun_difference=difference, rerun_made="another")) == ["reproduced"]


def test_saved_outputs_count_before_those_of_the_run() -> None:
    ran = execution().model_copy(update={"shown": Shown(has_outputs=True, batch_size=8)})
    saved = NotebookReading(code_cells=1, shown=Shown(has_outputs=True, batch_size=16))
    empty = NotebookReading(code_cells=1, shown=Shown(has_outputs=False))
    for reading, size in ((saved, 16), (empty, 8)):
        found = shown_by(evidence(read=Done(value=reading), execute=Done(value=ran)))
        assert found is not None and found.batch_size == size


@pytest.mark.parametrize("mode", ["rerun", "as-handed-in", "both"])
def test_every_mode_is_documented(mode: str) -> None:
    assert f"`{mode}`" in (Path(__file__).parents[2] / "docs" / "notebooks.md").read_text()


def reporting(measure: str, value: float, **changes: object) -> Evidence:
    claim = PrecisionClaim(measure=measure, value=value, cell=7, words="mAP")  # type: ignore[arg-type]
    reading = NotebookReading(code_cells=9, shown=Shown(has_outputs=True, average_precision=claim))
    return detectors_evidence(**changes).model_copy(update={"read": Done(value=reading)})


@pytest.mark.parametrize(
    ("measure", "value", "differs"),
    [  # VOC's figure is 0.78, AP50 0.80 (to 0.88), AP 0.50 (to 0.60)
        ("voc", 0.92, True), ("voc", 0.90, False), ("voc", 0.1, False), ("ap50", 0.94, True), ("ap50", 0.92, False),
        ("ap", 0.66, True), ("ap", 0.64, False),
    ],
)  # fmt: skip
def test_a_reported_average_precision_is_compared_with_the_same_figure(
    measure: str, value: float, differs: bool
) -> None:
    found = against_measurement(reporting(measure, value))
    assert [one.code for one in found] == (["ap-claim-differs"] if differs else [])


def test_the_finding_names_the_figure_that_eval_ssd_would_print() -> None:
    (found,) = against_measurement(reporting("voc", 0.97))
    assert "reports an AP50 of 0.970 (code cell 7)" in found.message
    assert "on the 50 held-out images the detector reaches 0.780 (95 % interval 0.680 to 0.860)" in found.message


def test_a_rerun_that_made_no_detector_is_said_too() -> None:
    again = reporting("ap50", 0.5).model_copy(update={"rerun_made": "nothing"})
    assert [one.code for one in against_measurement(again)] == ["rerun-made-nothing"]
