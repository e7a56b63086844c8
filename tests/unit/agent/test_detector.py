"""Non-maximum suppression, and which output holds the boxes."""

import numpy as np
import pytest

from harness.agent.detector import _boxes_output, detections
from harness.agent.native import Unusable

BOXES = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [0, 0, 10, 10]], np.float32)


def test_of_overlapping_boxes_of_a_class_the_likeliest_stays():
    scores = np.array([[0.1, 0.8, 0.1], [0.05, 0.9, 0.05], [0.2, 0.7, 0.1], [0.2, 0.1, 0.7]], np.float32)
    found = [(label, round(score, 2), box[0]) for label, score, box in detections(scores, BOXES)]
    assert found == [(1, 0.9, 1), (1, 0.7, 20), (2, 0.7, 0)], "another class at the same place is another thing"


def test_background_and_what_is_unsure_are_not_seen():
    scores = np.array([[0.9, 0.05, 0.05]] * 2 + [[0.4, 0.45, 0.15]] * 2, np.float32)
    assert detections(scores, BOXES) == []


def test_boxes_without_an_area_do_no_harm():
    scores = np.array([[0.0, 0.9, 0.1]] * 4, np.float32)
    assert len(detections(scores, np.zeros((4, 4), np.float32))) == 4
    assert len(detections(scores, np.full((4, 4), np.nan, np.float32))) >= 1


@pytest.mark.parametrize(
    ("names", "shapes", "index"),
    [
        (["scores", "boxes"], [(1, 9, 3), (1, 9, 4)], 1),
        (["boxes", "scores"], [(1, 9, 4), (1, 9, 4)], 0),
        (["a", "b"], [(1, 9, 4), (1, 9, 21)], 0),
    ],
)
def test_which_output_holds_the_boxes(names, shapes, index):
    assert _boxes_output(names, [np.zeros(shape, np.float32) for shape in shapes]) == index


@pytest.mark.parametrize("shapes", [[(1, 9, 3)], [(1, 9, 3), (1, 8, 4)], [(1, 9, 3), (1, 9, 5)], [(1, 3), (1, 4)]])
def test_what_is_no_detector(shapes):
    with pytest.raises(Unusable):
        _boxes_output(["scores", "boxes"][: len(shapes)], [np.zeros(shape, np.float32) for shape in shapes])
