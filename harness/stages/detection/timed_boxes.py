"""Compares the boxes of a timed detector with those that it gave for the same images before. Pure.

Another network could be timed than the one that is graded, so whatever earns points is compared: only labels that
stand for a class, of each label the surest boxes first, however low a detector's scores are. Boxes that cost nothing
(of no class, or below all others of their label) so hide nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.detection.repeatability import SAME, SURE, distances
from harness.stages.detection.reply import Rows

_COMPARED = 50  # boxes of an answer; of a timed one come twice as many, so that rounding may exchange the last ones
_LEFT_OUT = 0.1  # the share of these that rounding may exchange
_FIRST = 9  # of each label: so few that this share leaves none of them out
_EXCHANGED = 0.1  # of all answers, in which rounding may exchange one of these
_USUAL = 0.9  # a label's usual best score: this share of images has no higher one


@dataclass(frozen=True, slots=True)
class Far:
    """How far two answers to one image are from each other: a tenth of the boxes left out, and of the first none."""

    most: float
    first: float


def counted(rows: Rows, labels: Collection[int]) -> Rows:
    """The boxes with one of the labels; all where there are none."""
    return _at(rows, np.flatnonzero(np.isin(rows.labels, list(labels)))) if labels else rows


def sure_from(before: Sequence[Rows]) -> dict[int, float]:
    """Label -> the score from which on its boxes are compared: 0.05, or half of its usual best score if that is less.

    A box that is less sure may fall below the least score, or be suppressed, by rounding.
    """
    labels = np.unique(np.concatenate([np.zeros(0, np.int32), *(rows.labels for rows in before)]))
    best = {
        int(label): [float(rows.scores[rows.labels == label].max(initial=0.0)) for rows in before] for label in labels
    }
    return {label: min(SURE, float(np.quantile(scores, _USUAL, method="higher")) / 2) for label, scores in best.items()}


def far(timed: Rows, before: Rows, sure: Mapping[int, float]) -> Far:
    """How far the boxes of two answers to one image are from each other, of at most 50 boxes of each.

    `sure`: as from `sure_from`; a label that is not in it has boxes in `timed` only. 1.0 for a box without a partner.
    Where the same graph runs with another number of threads, or was exported, which of boxes with equal scores is
    suppressed depends on rounding.
    """
    most = first = 0.0
    for mine, others in ((timed, before), (before, timed)):
        rank = _ranks(mine)
        chosen = np.lexsort((-mine.scores, rank))[:_COMPARED]
        levels = np.array([sure.get(int(label), SURE) for label in mine.labels[chosen]])
        chosen = chosen[mine.scores[chosen] >= levels]
        found = np.array(distances(mine, others, chosen))
        if len(found):
            most = max(most, float(np.quantile(found, 1 - _LEFT_OUT, method="higher")))
            first = max(first, float(found[rank[chosen] < _FIRST].max(initial=0.0)))
    return Far(most, first)


def differing(counts: Sequence[int], apart: Sequence[Far]) -> list[bool]:
    """Which groups of equal answers differ from those before. `counts`: how many answers each group has."""
    exchanged = sum(count for count, one in zip(counts, apart, strict=True) if one.first > SAME)
    strictly = exchanged > _EXCHANGED * sum(counts)
    return [one.most > SAME or (strictly and one.first > SAME) for one in apart]


def _ranks(rows: Rows) -> NDArray[np.int64]:
    """Of each box its place among those of its label, the surest first, from 0."""
    rank = np.zeros(len(rows.scores), np.int64)
    for label in np.unique(rows.labels):
        mine = np.flatnonzero(rows.labels == label)
        rank[mine[np.argsort(-rows.scores[mine], kind="stable")]] = np.arange(len(mine))
    return rank


def _at(rows: Rows, chosen: NDArray[np.int64]) -> Rows:
    return Rows(rows.boxes[chosen], rows.scores[chosen], rows.labels[chosen], rows.images[chosen])
