"""All scores of a detector together: which boxes they come from, and what is drawn."""

from __future__ import annotations

import time

import numpy as np
import pytest
from detection_parts import boxes, labelled, objects

from harness.stages.evaluate.detection import Detections
from harness.stages.evaluate.detection.evaluation import Answers, evaluation, remedy, with_meaning
from harness.stages.evaluate.detection.shown import MOST
from harness.stages.evidence.detection_scores import DetectionEvaluation

TRUTH = objects(
    (0, 0.1, 0.1, 0.4, 0.4, 0, 0),
    (0, 0.5, 0.5, 0.9, 0.9, 1, 0),
    (1, 0.2, 0.2, 0.6, 0.6, 0, 0),
    (2, 0.2, 0.2, 0.6, 0.6, 1, 0),
)
RIGHT = boxes(
    (0, 0.1, 0.1, 0.4, 0.4, 0.9, 0),
    (0, 0.5, 0.5, 0.9, 0.9, 0.8, 1),
    (1, 0.2, 0.2, 0.6, 0.6, 0.7, 0),
    (2, 0.2, 0.2, 0.6, 0.6, 0.6, 1),
)
NOTHING = boxes()


def test_a_detector_that_finds_all_has_the_best_figures():
    found = evaluation(Answers(RIGHT, RIGHT), labelled(TRUTH, 3, 2))
    assert (found.scores.ap, found.scores.ap50, found.voc.all_points) == (1, 1, 1)
    assert (found.threshold, found.at_threshold.right, found.at_threshold.boxes) == (pytest.approx(0.6), 4, 4)
    assert found.counting.all_objects.exact == 3
    assert found.confusion == ((2, 0, 0), (0, 2, 0), (0, 0, 0))
    assert {box.kind for image in found.shown for box in image.boxes} == {"found"}


def test_ap_is_of_all_boxes_and_counts_are_of_what_the_board_shows():
    found = evaluation(Answers(RIGHT, NOTHING), labelled(TRUTH, 3, 2))
    assert found.scores.ap50 == 1
    assert (found.on_board.boxes, found.on_board.recall, found.counting.all_objects.exact) == (0, 0, 0)


def test_a_comparison_has_the_others_ap_and_its_counts_on_the_board():
    half = RIGHT.at(np.array([0, 1]))
    found = evaluation(Answers(half, half), labelled(TRUTH, 3, 2), Answers(RIGHT, half))
    assert found.reference_ap50 == 1
    assert found.difference == pytest.approx(found.scores.ap50 - 1)
    assert found.difference_interval[0] <= found.difference <= found.difference_interval[1]
    assert found.reference_exact_share == pytest.approx(1 / 3)
    low, high = found.exact_difference_interval
    assert low < 0 < high, "both count one image of three right, and it is the same"
    assert found.reference_ap == 1 and found.ap_difference == pytest.approx(found.scores.ap - 1)


@pytest.mark.parametrize(
    ("every", "truth"),
    [
        (NOTHING, TRUTH),
        (RIGHT, objects()),
        (RIGHT, objects((0, 0.1, 0.1, 0.4, 0.4, 0, 1))),
        (NOTHING, objects()),
        (with_meaning(RIGHT, ()), TRUTH),
    ],
)
def test_cases_without_boxes_or_objects_are_kept_and_read_again(every: Detections, truth):
    found = evaluation(Answers(every, every), labelled(truth, 3, 2), Answers(RIGHT, RIGHT))
    assert DetectionEvaluation.model_validate_json(found.model_dump_json()) == found
    assert found.threshold == 0.5 or truth.ignored.all()


def test_a_label_without_a_class_is_left_out_like_background():
    raw = Detections(RIGHT.image, RIGHT.box, RIGHT.score, np.array([1, 2, 7, 0], np.int32))
    assert with_meaning(raw, (-1, 0, 1)).label.tolist() == [0, 1, -1, -1]
    found = evaluation(Answers(with_meaning(raw, (-1, 0, 1)), NOTHING), labelled(TRUTH, 3, 2))
    assert (found.at_threshold.right, found.at_threshold.boxes, found.errors.background.count) == (2, 2, 0)


def test_the_remedy_names_what_labels_txt_should_say():
    images = labelled(TRUTH, 3, 2)
    raw = Detections(RIGHT.image, RIGHT.box, RIGHT.score, RIGHT.label + np.int32(1))
    found = remedy(raw, (0, 1, -1), (-1, 0, 1), images, background_first=True)
    assert found.names == ("BACKGROUND", "a", "b")
    assert (found.would, found.ap50 < 0.5) == (1, True)
    assert remedy(raw, (-1, 0, 1), (-1, 0, 1), images, background_first=True) is None
    assert remedy(raw, (0, 1, -1), (1, 0, -1), images, background_first=False).names == ("b", "a", "void")


def test_the_worst_images_come_first_and_then_right_ones():
    truth = objects(*((image, 0.1, 0.1, 0.5, 0.5, 0, 0) for image in range(20)))
    hits = [(image, 0.1, 0.1, 0.5, 0.5, 0.9, 0) for image in range(5)]
    alarms = [(7, 0.6 + step / 1000, 0.6, 0.9, 0.9, 0.95, 0) for step in range(2)]
    shown = evaluation(Answers(boxes(*hits, *alarms), NOTHING), labelled(truth, 20)).shown
    assert len(shown) == MOST
    assert (shown[0].image, [box.kind for box in shown[0].boxes]) == (7, ["missed", "false-alarm", "false-alarm"])
    assert [one.image for one in shown[-3:]] == [0, 1, 2]
    assert all(box.truth is not None for box in shown[-1].boxes)


def test_very_many_boxes_make_no_large_record_and_are_said_to_be_left_out():
    random = np.random.default_rng(0)
    many, images, classes = 200_000, 100, 5
    corner = random.random((many, 2)).astype(np.float32) * 0.8
    every = Detections(
        np.sort(random.integers(0, images, many)).astype(np.int32),
        np.hstack([corner, corner + 0.2]),
        random.random(many).astype(np.float32),
        random.integers(0, classes, many).astype(np.int32),
    )
    truth = objects(*((image, 0.1, 0.1, 0.3, 0.3, image % classes, 0) for image in range(images)))
    started = time.monotonic()
    found = evaluation(Answers(every, every), labelled(truth, images, classes))
    assert time.monotonic() - started < 60
    assert len(found.model_dump_json()) < 300_000
    assert max(len(one.boxes) for one in found.shown) <= 60
