"""The reference detector learns squares that it can be shown, and its two ONNX files answer as it does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from coloured_squares import COLOURS, examples, small_base
from scored_boxes import scored

from harness.agent.detectors.detector import Anchors, Detections
from harness.agent.detectors.suppression import TRAINERS, suppressed
from harness.agent.ssd import export
from harness.agent.ssd.augmentation import boxes_within, plain
from harness.agent.ssd.mobilenet_v2_ssd import MobileNetV2Ssd
from harness.agent.ssd.reference_ssd import SIDE
from harness.agent.ssd.suppressed_export import write_suppressed
from harness.agent.ssd.training import Budget, Rates, Trained, train
from harness.agent.ssd.views import Example, as_input

BUDGET = Budget(views=96, head_steps=15, steps=60)
RATES = Rates(new=6e-3, base=2e-3)  # a base that has learnt nothing has far to go


def small() -> partial[MobileNetV2Ssd]:
    """A detector on a quarter of MobileNetV2's channels, for so many classes as it is called with."""
    return partial(MobileNetV2Ssd, small_base())


def detections(scores: np.ndarray, boxes: np.ndarray) -> Detections:
    """What stays of the scores, background first, and boxes of one image."""
    return suppressed(Anchors(boxes, scores[:, 1:], first=1), TRAINERS)


@dataclass(frozen=True)
class Taught:
    trained: Trained
    unseen: list[Example]
    found: list[Detections]


@pytest.fixture(scope="module")
def taught() -> Taught:
    trained = train(examples(64, seed=1), len(COLOURS), small(), 3, BUDGET, RATES)
    unseen = examples(16, seed=2)
    with torch.inference_mode():
        scores, boxes = trained.model(as_input(np.stack([plain(one.image) for one in unseen])))
    return Taught(trained, unseen, [detections(*of) for of in zip(scores.numpy(), boxes.numpy(), strict=True)])


def test_the_loss_falls(taught: Taught):
    losses = taught.trained.losses
    assert len(losses) == BUDGET.head_steps + BUDGET.steps
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])


def test_unseen_squares_are_found(taught: Taught):
    found = scored(taught.found, taught.unseen, ("light", "dark"))
    assert found.ap50 > 0.5 and found.interval[0] <= found.ap50 <= found.interval[1]


def test_the_lower_half_of_the_base_stays(taught: Taught):
    with torch.inference_mode():
        pixels = as_input(plain(taught.unseen[0].image)[None])
        untouched = small()(2)
        torch.testing.assert_close(taught.trained.model.low_features(pixels), untouched.low_features(pixels))


def test_the_same_seed_gives_the_same_model():
    few = Budget(views=16, head_steps=1, steps=2)
    one, other = (train(examples(4, seed=1), 2, small(), 5, few).model.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_images_without_boxes_are_refused():
    with pytest.raises(ValueError, match="no training image has a box"):
        train([Example(one.image, one.boxes[:0], one.labels[:0]) for one in examples(2, 1)], 2, small(), 1, BUDGET)


def test_the_exported_files_answer_as_torch_does(taught: Taught, tmp_path: Path):
    plain_file, suppressed_file = tmp_path / "plain.onnx", tmp_path / "suppressed.onnx"
    export.write(taught.trained.model, SIDE, plain_file)
    write_suppressed(plain_file, suppressed_file)
    plain_session, suppressing = (onnxruntime.InferenceSession(file) for file in (plain_file, suppressed_file))
    assert [(one.name, one.shape) for one in plain_session.get_inputs()] == [("input_0", [1, 3, 300, 300])]
    assert [(one.name, one.shape) for one in plain_session.get_outputs()] == [
        ("scores", [1, 3000, 3]),
        ("boxes", [1, 3000, 4]),
    ]
    for one in taught.unseen[:3]:
        pixels = as_input(plain(one.image)[None])
        with torch.inference_mode():
            expected = taught.trained.model(pixels)
        feed = {"input_0": pixels.contiguous().numpy()}
        answers = plain_session.run(None, feed)
        for answer, wanted in zip(answers, expected, strict=True):
            np.testing.assert_allclose(answer, wanted.numpy(), atol=2e-5)
        here = detections(*(answer[0] for answer in answers))
        boxes, labels, scores = suppressing.run(None, feed)
        assert len(labels) > 0
        assert labels.tolist() == here.labels.tolist()
        np.testing.assert_allclose(boxes, here.boxes, atol=1e-6)
        np.testing.assert_allclose(scores, here.scores, atol=1e-6)


def test_a_window_cuts_boxes_and_drops_what_it_hardly_shows():
    boxes = np.array([[0.1, 0.1, 0.5, 0.5], [0.4, 0.4, 0.8, 0.8], [0.0, 0.0, 0.3, 0.3]], np.float32)
    cut, which = boxes_within(boxes, np.array([0.2, 0.2, 1.2, 0.7], np.float32))
    assert which.tolist() == [True, True, False]  # 0.09 of 0.16, 0.12 of 0.16 and 0.01 of 0.09 are inside
    np.testing.assert_allclose(cut, [[0, 0, 0.3, 0.6], [0.2, 0.4, 0.6, 1]], atol=1e-6)
