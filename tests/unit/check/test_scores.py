"""The reference's published scores stand in for its model: on which images it is right, and its times on boards."""

from pathlib import Path

import numpy as np
import pytest
from example_evidence import conversion, evaluation, evidence

from harness.grading.check.scores import with_scores
from harness.grading.rubric.criteria import accuracy_vs_reference as accuracy
from harness.grading.rubric.criteria import board_latency_vs_reference as board
from harness.inputs.images import HeldOutSet
from harness.inputs.student_package import ReferenceScores
from harness.stages.evidence.boards import BoardLatency, BoardPredictions
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.stage_result import Done
from harness.stages.store import Store

NAMES = [f"{label}/{number}.png" for label in ("ball", "mug") for number in range(20)]


@pytest.fixture
def compared(tmp_path: Path):
    """A model that is right on all balls and no mug, beside a reference that is right on 30 of 40 images."""
    store = Store(tmp_path / "store")
    np.save(tmp_path / "p.npy", np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (40, 1)))
    answers = Predictions(
        probabilities=store.put(tmp_path / "p.npy", "p.npy"), labels=("ball", "mug"), images=40, seconds_per_image=0.1
    )
    row = BoardLatency(board="Nano", runtime="tensorrt", precision="fp16", latency_ms=12.0, interval_90=(8.0, 18.0))
    scores = ReferenceScores.model_validate(
        {
            "backbone": "x",
            "images_sha256": "0",
            "accuracy": 0.75,
            "accuracy_interval": (0.6, 0.9),
            "right": {name: index < 30 for index, name in enumerate(NAMES)},
            "boards": [
                {"board": "Nano", "runtime": "tensorrt", "precision": "fp16", "latency_ms": 4, "interval_90": (2, 8)}
            ],
        }
    )
    alone = evaluation(reference_accuracy=None, difference=None, difference_interval=None)
    before = evidence(
        convert=Done(value=conversion(), origin="measured-inside"),
        predict=Done(value=answers, origin="measured-inside"),
        evaluate=Done(value=alone, origin="measured-outside"),
        boards=Done(value=BoardPredictions(model="m", boards=(row,)), origin="measured-inside"),
    )
    files = tuple(Path("/course/images", name) for name in NAMES)
    return with_scores(before, scores, HeldOutSet(("ball", "mug"), files, (0,) * 20 + (1,) * 20, "0"), store)


def test_the_difference_is_paired_image_by_image(compared):
    score = compared.evaluate.value
    assert score.reference_accuracy == 0.75
    assert score.difference == pytest.approx(0.5 - 0.75)
    low, high = score.difference_interval
    assert low < -0.25 < high
    judged = accuracy.mark(compared, accuracy.Options(), 10)
    assert judged.points == pytest.approx(10 * (0.40 - 0.25) / 0.37)


def test_the_board_time_is_compared_with_an_interval_that_holds_both_errors(compared):
    ratio = compared.boards.value.boards[0].versus_reference
    assert (ratio.ratio, ratio.interval_90, ratio.band) == (3.0, (1.0, 9.0), "much slower")
    assert board.mark(compared, board.Options(), 10).points is not None
