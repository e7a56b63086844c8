"""Objects without a box: which sure boxes of the reference lie apart from all that was drawn."""

from __future__ import annotations

import pytest
from detection_parts import Row, boxes, labelled, objects

from harness.stages.detection.unboxed import same_names
from harness.stages.evaluate.detection.unboxed import SURE, unboxed

BOX, FAR = (0.1, 0.1, 0.4, 0.4), (0.6, 0.6, 0.9, 0.9)
DRAWN = labelled(objects((0, *BOX, 0, 0), (1, *BOX, 0, 1)), 3, 2)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((0, *FAR, SURE - 0.01, 0), "it is not sure"),
        ((0, *FAR, 0.99, -1), "nobody meant to draw this class"),
        ((0, *BOX, 0.99, 0), "its box is there"),
        ((0, *BOX, 0.99, 1), "a box of another class is there"),
        ((0, 0.2, 0.2, 0.3, 0.3, 0.99, 0), "it is a part of an object that was drawn"),
        ((0, 0.0, 0.0, 0.9, 0.9, 0.99, 0), "it encloses an object that was drawn"),
        ((1, *BOX, 0.99, 0), "the object there is ignored, but drawn"),
        ((2, 1.1, 0.1, 1.4, 0.4, 0.99, 0), "it lies outside of the image"),
    ],
)
def test_what_is_no_object_without_a_box(row: Row, why: str):
    assert unboxed(boxes(row), DRAWN) == (), why


def test_a_sure_box_apart_from_all_that_was_drawn_is_one():
    (found,) = unboxed(boxes((0, *BOX, 0.99, 0), (0, *FAR, 0.95, 1)), DRAWN)
    assert (found.image, found.label, found.box) == (0, 1, FAR)
    assert found.score == pytest.approx(0.95)


def test_what_is_drawn_on_one_image_says_nothing_of_another():
    (found,) = unboxed(boxes((2, *BOX, 0.95, 0)), DRAWN)
    assert found.image == 2


def test_of_boxes_on_each_other_the_surest_stays_and_the_surest_comes_first():
    rows = ((0, *FAR, 0.92, 0), (0, 0.61, 0.6, 0.9, 0.9, 0.97, 1), (2, *FAR, 0.99, 0))
    assert [(one.image, one.label) for one in unboxed(boxes(*rows), DRAWN)] == [(2, 0), (0, 1)]


def test_the_references_labels_are_found_by_their_names_in_the_data_set():
    assert same_names((-1, 0, 1, 2), ("Mug", "ball", "lamp"), ("ball", "mug ", "spoon")) == (-1, 1, 0, -1)
