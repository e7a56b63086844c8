"""Decides what to take where a submission declares no pre-processing or no labels, from answers to training images.

A candidate is a usual pre-processing, with the labels in force or, where none were given, with its outputs in the
order that fits them best. Two are compared by McNemar's exact test on the same images, which Dietterich recommends for
two classifiers that are tested once ("Approximate Statistical Tests for Comparing Supervised Classification Learning
Algorithms", 1998). All functions are pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.comparison import Right, mcnemar

# Of all comparisons of one model together (Bonferroni). Stricter than the usual 0.05, since photographs of one scene
# are no independent trials. To take a way that is truly no worse than the assumed one costs nobody anything.
_CLEARLY = 0.01
# A way that is that much better on the images, but not clearly, is too much to pass over: the same line as for a
# declared pre-processing (`evaluate/faults.py`).
_FAR = 0.10
_CHANCE = 0.05  # of all candidates together: above it, the best of them only guesses

Indices = NDArray[np.int64]
Rows = NDArray[np.float32]
Order = tuple[int, ...]  # for each class of the labels in force, the class that its output means
Verdict = Literal["kept", "taken", "unclear"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pre-processing and a meaning of the outputs, and on which images that is right."""

    way: str
    order: Order | None  # None: the labels in force
    right: Right
    loss: float  # the mean negative logarithm of the right answer's score
    departures: int  # from what was assumed: of pre-processing, of labels

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())


@dataclass(frozen=True, slots=True)
class Decision:
    """`chosen`: what to use, which is `assumed` unless taken; `best`: the most accurate on the images."""

    verdict: Verdict
    assumed: Candidate
    chosen: Candidate
    best: Candidate
    # The ways, from the assumed one on, that more images could still show to be the best.
    in_contention: tuple[str, ...]

    @property
    def is_final(self) -> bool:
        """Whether more images are not needed: one way stands alone, or nothing was better than what was assumed."""
        others = set(self.in_contention) - {self.assumed.way}
        return self.best is self.assumed or (self.verdict == "taken" and len(others | {self.chosen.way}) == 1)


def decide(
    answers: Mapping[str, Rows], truth: Indices, class_of: Indices, labels_given: bool, looks: int = 1
) -> Decision:
    """What to use of the ways in `answers`, of which the first is assumed.

    `answers`: way -> scores, shape (images, outputs). `truth`: the class of each image. `class_of`: the class of each
    output by the labels in force, -1 for none; one for each class where no labels were given. `looks`: how often such a
    decision is made in all, each time with more images. Raises `ValueError` without images or ways.
    """
    if not answers or not len(truth):
        raise ValueError("nothing to decide by")
    return judged(_candidates(answers, truth, class_of, labels_given), truth, looks)


def judged(candidates: Sequence[Candidate], truth: Indices, looks: int = 1) -> Decision:
    """What to use of the candidates, of which the first is assumed; all of them answered the same. `looks`: as above.

    `truth`: the class of each image or object that they are right or wrong about; there is at least one.
    """
    assumed = candidates[0]
    best = min(candidates, key=lambda one: (-one.accuracy, one.departures, one.loss))
    others = {one.right.tobytes() for one in candidates} - {assumed.right.tobytes()}
    level = _CLEARLY / (max(1, len(others)) * looks)

    def is_clear(one: Candidate, other: Candidate) -> bool:
        return one.accuracy > other.accuracy and mcnemar(one.right, other.right) <= level

    near = [one for one in candidates if not is_clear(best, one)]
    in_contention = tuple(dict.fromkeys([assumed.way, *(one.way for one in near)]))
    close = [one for one in near if (best.right.sum() - one.right.sum()) < _FAR * len(truth)]

    def decided(verdict: Verdict, chosen: Candidate) -> Decision:
        return Decision(verdict, assumed, chosen, best, in_contention)

    if any(one is assumed for one in close) or _guesses(best, truth, 1 + len(others)):
        return decided("kept", assumed)
    if not is_clear(best, assumed):
        return decided("unclear", assumed)
    least = min(close, key=lambda one: (one.departures, -one.accuracy, one.loss))  # as little as possible is changed
    return decided("taken", least if is_clear(least, assumed) else best)


def _candidates(answers: Mapping[str, Rows], truth: Indices, class_of: Indices, labels_given: bool) -> list[Candidate]:
    """The assumed candidate first, then by way."""
    assumed, found, reordered = next(iter(answers)), [], []
    for way, rows in answers.items():
        said, departs = class_of[rows.argmax(axis=1)], int(way != assumed)
        found.append(Candidate(way, None, said == truth, _loss(rows, truth, class_of), departs))
        if labels_given:
            continue
        order = _best_order(said, truth, len(class_of))
        if order != tuple(range(len(class_of))):
            right = _right_reordered(said, truth, len(class_of))
            loss = _loss(rows, truth, np.array(order)[class_of])
            reordered.append(Candidate(way, order, right, loss, departs + 1))
    return found + reordered


def _loss(rows: Rows, truth: Indices, class_of: Indices) -> float:
    """Lowest, as a rule, with what the model was trained with: it tells ways apart that are right equally often."""
    column_of = {int(index): column for column, index in enumerate(class_of) if index >= 0}
    scores = [
        row[column_of[index]] if index in column_of else 0.0 for row, index in zip(rows, truth.tolist(), strict=True)
    ]
    return float(-np.log(np.maximum(np.array(scores, np.float64), 1e-7)).mean())


def _right_reordered(said: Indices, truth: Indices, classes: int) -> Right:
    """Which images are right with the outputs reordered; for each half of a class's images, by the other half.

    An order chosen on the images that it is judged by would always look better than the labels in force.
    """
    half = np.zeros(len(truth), dtype=np.bool_)
    for index in range(classes):
        half[np.flatnonzero(truth == index)[1::2]] = True
    right = np.zeros(len(truth), dtype=np.bool_)
    for part in (half, ~half):
        order = np.array(_best_order(said[~part], truth[~part], classes))
        right[part] = order[said[part]] == truth[part]
    return right


def _best_order(said: Indices, truth: Indices, classes: int) -> Order:
    """The one-to-one meaning of the outputs with the most right answers; of equals, the nearest to that in force."""
    from scipy.optimize import linear_sum_assignment

    votes = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(votes, (said, truth), 1)
    worth = votes * (2 * classes) + np.eye(classes, dtype=np.int64)
    _, meant = linear_sum_assignment(worth, maximize=True)
    return tuple(int(index) for index in meant)


def _guesses(best: Candidate, truth: Indices, tried: int) -> bool:
    """Whether the best of so many is right no more often than one that always says the most common class.

    False where the images are so few that all of them right would show no more.
    """
    from scipy.stats import binomtest

    chance = float(np.bincount(truth).max()) / len(truth)
    # The halves of a reordered candidate judge each other: what fits by chance fits both, so it counts as one half.
    halved = 1 if best.order is None else 2
    images, right = len(truth) // halved, int(best.right.sum()) // halved
    if chance**images * tried > _CHANCE:
        return False
    test = binomtest(right, images, chance, alternative="greater")
    return bool(test.pvalue * tried > _CHANCE)
