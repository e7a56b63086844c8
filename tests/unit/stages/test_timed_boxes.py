"""A detector that is timed as another network than the one that is graded is found out, and an honest one is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from harness.stages.benchmark_reply import BoxGroups
from harness.stages.detection.benchmark import checked_boxes
from harness.stages.detection.reply import Rows
from harness.stages.detection.timed_boxes import counted

IMAGES = 20
Box = tuple[float, float, int]  # left and top, score, label
REAL: list[list[Box]] = [[(image / 40, 0.9, 1 + image % 3)] for image in range(IMAGES)]


def rows(boxes: Sequence[Box]) -> Rows:
    at = np.array([place for place, _, _ in boxes], np.float32)
    return Rows(
        np.stack([at, at, at + 0.2, at + 0.2], axis=1).reshape(-1, 4),
        np.array([score for _, score, _ in boxes], np.float32),
        np.array([label for _, _, label in boxes], np.int32),
        np.zeros(len(boxes), np.int32),
    )


def differing(timed: Sequence[Sequence[Box]], before: Sequence[Sequence[Box]], labels: Sequence[int] = ()) -> int:
    """How many of ten answers to each image differ."""
    groups = BoxGroups(
        inputs=tuple(range(len(timed))), counts=(10,) * len(timed), rows=tuple(map(len, timed)), others=0
    )
    mine, others = ([counted(rows(boxes), labels) for boxes in answers] for answers in (timed, before))
    return checked_boxes(groups, mine, others).different


def constant(many: int, score: float, label: int) -> list[Box]:
    """Boxes that a detector gives for each image, without looking at it."""
    return [(0.8 * number / many, score, label) for number in range(many)]


def test_the_same_boxes_agree_and_others_do_not() -> None:
    assert differing(REAL, REAL) == 0
    assert differing([[] for _ in REAL], REAL) == 10 * IMAGES
    assert differing(REAL[1:] + REAL[:1], REAL) == 10 * IMAGES


def test_a_detector_whose_scores_are_all_low_is_compared_as_well() -> None:
    """AP asks only for the order of the scores."""
    low = [[(place, 0.04 * score, label) for place, score, label in boxes] for boxes in REAL]
    assert differing(low, low) == 0
    assert differing([[] for _ in low], low) >= 9 * IMAGES


@pytest.mark.parametrize("score", [0.06, 0.3])
def test_constant_boxes_of_low_score_do_not_hide_those_that_earn_points(score: float) -> None:
    noise = constant(45, score, 1)
    graded = [[*boxes, *noise] for boxes in REAL]
    assert differing(graded, graded) == 0
    assert differing([noise for _ in REAL], graded) == 10 * IMAGES


def test_sure_boxes_of_no_class_do_not_hide_them_either() -> None:
    noise = constant(60, 1.0, 9)
    graded = [[*boxes, *noise] for boxes in REAL]
    assert differing([noise for _ in REAL], graded, labels=(1, 2, 3)) == 10 * IMAGES
    assert differing(graded, graded, labels=(1, 2, 3)) == 0


def test_many_sure_boxes_of_one_class_do_not_hide_the_others() -> None:
    noise = constant(60, 1.0, 1)
    graded = [[(0.3 + place / 4, score, 2), *noise] for ((place, score, _),) in REAL]
    assert differing([noise for _ in REAL], graded) == 10 * IMAGES


def test_a_box_of_many_that_rounding_exchanged_on_one_image_is_none() -> None:
    """Of two equally sure boxes of one object the other one was kept, on one image of twenty."""
    graded = [[*boxes, *constant(12, 0.5, 2)] for boxes in REAL]
    timed = [list(boxes) for boxes in graded]
    timed[0][3] = (timed[0][3][0] + 0.01, *timed[0][3][1:])
    assert differing(timed, graded) == 0
