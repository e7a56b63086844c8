"""Boxes as a student's model may write them: all is counted, nothing crashes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from detection_parts import boxes, labelled, objects

from harness.stages.evaluate.detection import (
    Detections,
    LabelledImages,
    clean,
    clean_truth,
    coco_figures,
    matches,
    voc_figures,
)

BOX = (0.1, 0.1, 0.5, 0.5)
NAN, INF = float("nan"), float("inf")

BAD = {
    "not_finite": [
        (0, NAN, 0.1, 0.5, 0.5, 0.9, 0),
        (0, *BOX, NAN, 0),
        (0, 0.1, 0.1, INF, 0.5, 0.9, 0),
        (0, *BOX, -INF, 0),
    ],
    "unknown_image": [(5, *BOX, 0.9, 0), (-1, *BOX, 0.9, 0)],
    "unknown_label": [(0, *BOX, 0.9, 7), (0, *BOX, 0.9, -1)],
    "reversed": [(0, 0.5, 0.1, 0.1, 0.5, 0.9, 0), (0, 0.5, 0.5, 0.1, 0.1, 0.9, 0)],
    "empty": [(0, 0.1, 0.1, 0.1, 0.5, 0.9, 0)],
    "outside": [(0, 1.2, 0.1, 1.5, 0.5, 0.9, 0), (0, -0.5, -0.5, 0.0, 0.5, 0.9, 0)],
    "beyond_edge": [(0, -0.2, 0.1, 0.5, 0.5, 0.9, 0)],
    "score_out_of_range": [(0, *BOX, 17.5, 0), (0, *BOX, -0.1, 0)],
}
LEFT_OUT = ("not_finite", "unknown_image", "unknown_label")


@pytest.mark.parametrize("flaw", BAD)
def test_each_flaw_is_counted_as_itself_and_nothing_else(flaw: str):
    found, flaws = clean(boxes(*BAD[flaw][::-1], (1, *BOX, 0.5, 0)), images=2, classes=2)
    counts = {name: value for name, value in dataclasses.asdict(flaws).items() if value and name != "unsorted_images"}
    assert counts == {"boxes": len(BAD[flaw]) + 1, flaw: len(BAD[flaw])}
    assert len(found) == 1 + (0 if flaw in LEFT_OUT else len(BAD[flaw])) == flaws.boxes - flaws.left_out


def test_sound_boxes_stay_as_they_are():
    came = boxes((1, *BOX, 0.9, 1), (0, *BOX, 0.9, 0), (0, 0.0, 0.0, 1.0, 1.0, 0.9, 0))
    found, flaws = clean(came, 2, 2)
    assert (found.box == came.box).all() and found.image.tolist() == [1, 0, 0]
    assert {value for name, value in dataclasses.asdict(flaws).items() if name != "boxes"} == {0}


def test_a_reversed_box_is_put_in_order():
    found, _ = clean(boxes((0, 0.5, 0.1, 0.1, 0.4, 0.9, 0)), 1, 1)
    assert found.box[0].tolist() == np.float32([0.1, 0.1, 0.5, 0.4]).tolist()


def test_images_with_rising_scores_are_counted():
    came = boxes((0, *BOX, 0.1, 0), (1, *BOX, 0.9, 0), (0, *BOX, 0.9, 0), (1, *BOX, 0.5, 0), (1, *BOX, 0.7, 1))
    assert clean(came, 2, 2)[1].unsorted_images == 1


def test_a_million_boxes_leave_the_surest_of_each_class():
    random = np.random.default_rng(0)
    count = 1_000_000
    score = random.random(count, np.float32)
    label = random.integers(0, 2, count).astype(np.int32)
    came = Detections(np.zeros(count, np.int32), np.tile(np.float32(BOX), (count, 1)), score, label)
    found, flaws = clean(came, 1, 2)
    assert len(found) == 400 and flaws.too_many == count - 400
    for one in (0, 1):
        assert found.score[found.label == one].min() == np.sort(score[label == one])[-200]


def test_what_was_cleaned_can_be_scored():
    """All flaws at once, in the model's boxes and in the truth."""
    found, _ = clean(boxes(*[row for rows in BAD.values() for row in rows]), 2, 2)
    rows = [(*row[:5], row[6], 0) for rows in BAD.values() for row in rows]
    truth, flaws = clean_truth(objects(*rows), 2, 2)
    images = labelled(truth, 2, 2)
    assert flaws.objects == len(rows) and flaws.empty == 1 and flaws.not_finite == 2
    assert coco_figures(found, images).overall.ap50 is not None
    assert voc_figures(found, images).all_points is not None
    assert matches(found, images).truth.shape == (10, len(found))


def test_an_empty_object_is_ignored_not_missed():
    truth, flaws = clean_truth(objects((0, 0.1, 0.1, 0.1, 0.5, 0, 0), (0, *BOX, 0, 0)), 1, 1)
    assert flaws.empty == 1 and truth.ignored.tolist() == [True, False]
    assert coco_figures(boxes((0, *BOX, 0.9, 0)), labelled(truth, 1)).overall.ap50 == pytest.approx(1.0)


@pytest.mark.parametrize("row", [(1, *BOX, 0, 0), (0, *BOX, 3, 0), (0, NAN, 0, 1, 1, 0, 0), (0, 0.5, 0, 0.1, 1, 0, 0)])
def test_truth_that_was_not_cleaned_is_refused(row: tuple[float, ...]):
    with pytest.raises(ValueError):
        labelled(objects(row), 1)


def test_arrays_of_different_length_are_refused():
    with pytest.raises(ValueError, match="boxes of the shape"):
        Detections(np.zeros(2, np.int32), np.zeros((3, 4), np.float32), np.zeros(3, np.float32), np.zeros(3, np.int32))
    with pytest.raises(ValueError, match="scenes"):
        LabelledImages(np.ones((2, 2), np.int32), objects(), ("a",), np.zeros(3, np.int64))
