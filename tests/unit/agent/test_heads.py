"""What a detector's outputs hold, and non-maximum suppression."""

import numpy as np
import pytest

from harness.agent.detectors.heads import head_of, head_of_rows, is_of, seen

BOXES = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [0, 0, 10, 10]], np.float32)
CENTRED = np.array([[5, 5, 10, 10], [6, 5, 10, 10], [25, 25, 10, 10], [5, 5, 10, 10]], np.float32)  # the same


def ssd(scores, boxes=BOXES):
    return seen("scores-boxes", [np.asarray(scores, np.float32)[None], boxes[None]], 0)


def test_of_overlapping_boxes_of_a_class_the_likeliest_stays():
    found = ssd([[0.1, 0.8, 0.1], [0.05, 0.9, 0.05], [0.2, 0.7, 0.1], [0.2, 0.1, 0.7]])
    short = [(label, round(score, 2), box[0]) for label, score, box in found]
    assert short == [(1, 0.9, 1), (1, 0.7, 20), (2, 0.7, 0)], "another class at the same place is another thing"


def test_background_and_what_is_unsure_are_not_seen():
    assert ssd([[0.9, 0.05, 0.05]] * 2 + [[0.4, 0.45, 0.15]] * 2) == []


def test_boxes_without_an_area_do_no_harm():
    assert len(ssd([[0.0, 0.9, 0.1]] * 4, np.zeros((4, 4), np.float32))) == 4
    assert len(ssd([[0.0, 0.9, 0.1]] * 4, np.full((4, 4), np.nan, np.float32))) >= 1


def test_a_yolo_sees_what_the_same_boxes_and_scores_say():
    scores = np.array([[0.8, 0.1], [0.9, 0.05], [0.7, 0.1], [0.1, 0.7]], np.float32)
    want = [(0, 0.9, [1, 0, 11, 10]), (0, 0.7, [20, 20, 30, 30]), (1, 0.7, [0, 0, 10, 10])]
    by_class = np.concatenate([CENTRED, scores], axis=1).T[None]
    objectness = np.full((4, 1), 0.5, np.float32)
    by_anchor = np.concatenate([CENTRED, objectness, 2 * scores], axis=1)[None]
    for head, output in (("yolo", by_class), ("yolo-objectness", by_anchor)):
        found = [(label, round(score, 2), box.tolist()) for label, score, box in seen(head, [output], 0)]
        assert found == want, head


def test_boxes_that_were_suppressed_already_are_taken_as_they_are():
    rows = np.array([[[0, 0, 9, 9, 0.9, 3], [0, 0, 9, 9, 0.8, 3], [0, 0, 0, 0, 0.0, 0]]], np.float32)
    assert [(label, round(score, 1)) for label, score, _ in seen("suppressed", [rows], 0)] == [(3, 0.9), (3, 0.8)]


@pytest.mark.parametrize(
    ("names", "shapes", "head", "classes"),
    [
        (["scores", "boxes"], [(1, 9, 3), (1, 9, 4)], "scores-boxes", 3),
        (["boxes", "scores"], [(1, 9, 4), (1, 9, 4)], "boxes-scores", 4),
        (["a", "b"], [(1, 9, 4), (1, 9, 21)], "boxes-scores", 21),
        (["output0"], [(1, 84, 8400)], "yolo", 80),
        (["output0"], [(1, 5, 2100)], "yolo", 1),
        (["output"], [(1, 2100, 6)], "yolo-objectness", 1),
        (["output"], [(1, 8400, 5)], "yolo-rows", 1),
        (["output"], [(1, 25200, 85)], "yolo-objectness", 80),
        (["output0"], [(1, 300, 6)], "suppressed", 2),
    ],
)
def test_which_head_gives_such_outputs(names, shapes, head, classes):
    assert head_of(names, [np.zeros(shape, np.float32) for shape in shapes]) == (head, classes)


@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 9, 3)],
        [(1, 9, 3), (1, 8, 4)],
        [(1, 9, 3), (1, 9, 5)],
        [(1, 3), (1, 4)],
        [(1, 4)],
        [(1, 84, 84)],
        [(1, 116, 8400), (1, 32, 160, 160)],
        [(1, 2, 3)] * 3,
    ],
)
def test_what_is_no_detector(shapes):
    with pytest.raises(ValueError, match="detector"):
        head_of(["scores", "boxes", "more"][: len(shapes)], [np.zeros(shape, np.float32) for shape in shapes])


def test_whether_rows_hold_an_objectness_is_said_by_names_else_by_what_they_hold():
    """Both have an anchor in each row; a box of the first of three classes is sure in the fifth number alone."""
    by_class = np.array([[9, 9, 2, 2, 0.9, 0.02, 0.01], [9, 9, 2, 2, 0.01, 0.8, 0.01]], np.float32)
    objectness = np.array([[9, 9, 2, 2, 0.9, 0.95, 0.01], [9, 9, 2, 2, 0.01, 0.8, 0.01]], np.float32)
    assert head_of_rows([by_class], 0) == head_of_rows([objectness], 3) == ("yolo-rows", 3)
    assert head_of_rows([objectness], 0) == head_of_rows([by_class], 2) == ("yolo-objectness", 2)
    nothing = np.full((90, 7), 0.01, np.float32)
    others = np.concatenate([nothing, by_class[1:]])
    assert head_of_rows([nothing, others], 0)[0] == "yolo-rows", "where no image shows the first class"
    anything = np.tile(np.array([9, 9, 2, 2, 0.01, 0.1, 0.9], np.float32), (90, 1))
    for unclear in (nothing, anything):  # the class of an anchor that sees nothing is any
        assert head_of_rows([unclear], 0, 3)[0] == "yolo-rows", "where labels.txt says so"
        assert head_of_rows([unclear], 0, 2)[0] == head_of_rows([unclear], 0)[0] == "yolo-objectness", "as YOLO v5"
    assert is_of("yolo-rows", ["o"], [by_class[None].repeat(9, 1)])
    found = seen("yolo-rows", [by_class[None]], 0)
    assert [(label, round(score, 1), box.tolist()) for label, score, box in found] == [
        (0, 0.9, [8, 8, 10, 10]), (1, 0.8, [8, 8, 10, 10]),
    ]  # fmt: skip


def test_few_rows_whose_last_number_is_no_class_are_not_suppressed_already():
    """YOLO v8 with two classes for a small image, turned round: the sixth number is a score."""
    rows = np.zeros((1, 525, 6), np.float32)
    rows[..., 5] = 0.02
    assert head_of(["output0"], [rows])[0] == "yolo-objectness"


@pytest.mark.parametrize("last", [np.inf, -np.inf, np.nan])
def test_a_class_that_is_no_number_is_none(last):
    rows = np.array([[[0, 0, 9, 9, 0.9, 3], [0, 0, 9, 9, 0.8, last]]], np.float32)
    assert head_of(["output0"], [rows]) == ("suppressed", 4)
