"""Compares repeated boxes for the same images: whether they depend on the image only, or on its position. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.stages.detection.reply import Rows

# Of a score or a corner. A detector is asked about one image at a time, so that no other image can round it otherwise.
SAME = 1e-3
SURE = 0.05  # a box that is less sure may fall below the least score, or be suppressed, by rounding
_PARTNER = 0.1  # of the image's sides and of the score: farther apart, two boxes are not the same


def largest_difference(one: Rows, other: Rows, images: Sequence[int]) -> float:
    """The largest difference of a score or a corner between two answers to the images, box by box.

    1.0 where a sure box of one has no partner in the other: one with its label, nearly the same place and score.
    """
    return max((_of_image(one.of(image), other.of(image)) for image in images), default=0.0)


def _of_image(one: Rows, other: Rows) -> float:
    surest = max(float(each.scores.max(initial=0.0)) for each in (one, other))
    least = min(SURE, surest / 2)  # so that a detector whose scores are all low is compared as well
    return max(_without_partner(one, other, least), _without_partner(other, one, least))


def _without_partner(mine: Rows, others: Rows, least: float) -> float:
    """The largest distance of a box with at least this score to the nearest of its label in `others`."""
    return max(distances(mine, others, np.flatnonzero(mine.scores >= least)), default=0.0)


def distances(mine: Rows, others: Rows, chosen: NDArray[np.int64]) -> list[float]:
    """Of each chosen box of `mine` the distance to the nearest of its label in `others`; 1.0 where none is near."""
    rows, there = (np.column_stack([each.boxes, each.scores]).astype(np.float64) for each in (mine, others))
    found = []
    for row in chosen:
        same = there[others.labels == mine.labels[row]]
        nearest = float(np.abs(same - rows[row]).max(axis=1).min(initial=1.0))
        found.append(nearest if nearest <= _PARTNER else 1.0)
    return found
