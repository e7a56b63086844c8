"""Compares repeated boxes for the same images: whether they depend on the image only, or on its position. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.stages.detection_reply import Rows

# Of a score or a corner. A detector is asked about one image at a time, so that no other image can round it otherwise.
SAME = 1e-3
_SURE = 0.05  # a box that is less sure may fall below the least score, or be suppressed, by rounding
_COMPARED, _LEFT_OUT = 100, 0.1  # boxes of a timed answer, and the share of them that rounding may exchange
_PARTNER = 0.1  # of the image's sides and of the score: farther apart, two boxes are not the same


def largest_difference(one: Rows, other: Rows, images: Sequence[int]) -> float:
    """The largest difference of a score or a corner between two answers to the images, box by box.

    1.0 where a sure box of one has no partner in the other: one with its label, nearly the same place and score.
    """
    return max((_of_image(one.of(image), other.of(image)) for image in images), default=0.0)


def _of_image(one: Rows, other: Rows) -> float:
    return max(_without_partner(one, other), _without_partner(other, one))


def _without_partner(mine: Rows, others: Rows) -> float:
    """The largest distance of a sure box to the nearest of its label in `others`."""
    return max(_distances(mine, others), default=0.0)


def _distances(mine: Rows, others: Rows) -> list[float]:
    """Of each sure box the distance to the nearest of its label in `others`; 1.0 where none is near."""
    rows, there = (np.column_stack([each.boxes, each.scores]).astype(np.float64) for each in (mine, others))
    found = []
    for row in np.flatnonzero(mine.scores >= _SURE):
        same = there[others.labels == mine.labels[row]]
        nearest = float(np.abs(same - rows[row]).max(axis=1).min(initial=1.0))
        found.append(nearest if nearest <= _PARTNER else 1.0)
    return found


def far_boxes(timed: Rows, before: Rows) -> float:
    """How far the boxes of two answers to one image are from each other, of at most 100 boxes of each, the surest.

    Of the sure boxes a tenth, rounded down, is left out: where the same graph runs with another number of threads, or
    was exported, which of boxes with equal scores is suppressed depends on rounding. 1.0 for a box without a partner.
    """
    pairs = ((_surest(timed, _COMPARED // 2), before), (_surest(before, _COMPARED // 2), timed))
    return max(_kept_distance(mine, others) for mine, others in pairs)


def _surest(rows: Rows, most: int) -> Rows:
    order = np.argsort(-rows.scores, kind="stable")[:most]
    return Rows(rows.boxes[order], rows.scores[order], rows.labels[order], rows.images[order])


def _kept_distance(mine: Rows, others: Rows) -> float:
    distances = _distances(mine, others)
    return float(np.quantile(distances, 1 - _LEFT_OUT, method="higher")) if len(distances) else 0.0
