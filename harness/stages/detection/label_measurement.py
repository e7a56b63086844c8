"""Measures what a detector's labels mean, on the course's images with known boxes. Pure.

Names and numbers are mixed up easily: jetson-inference's labels.txt begins with BACKGROUND beside the model and not in
the data set. For each known object the labels of the boxes at its place are looked at; the assignments of labels to
classes are then judged as undeclared labels of a classifier are (`undeclared.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.detection.reply import Rows
from harness.stages.evaluate.detection.overlap import iou
from harness.stages.undeclared import Candidate, Decision, Indices, judged

_SAME_PLACE = 0.5  # intersection over union, as in VOC
REORDERED = "reordered"
_ONE_UP, _ONE_DOWN = "one-up", "one-down"

Meaning = tuple[int, ...]  # for each label of the model the class, -1 for none
Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Objects:
    """Known objects on the images that a detector was asked about."""

    boxes: NDArray[np.float32]  # (objects, 4), as shares of the image's sides
    classes: Indices  # (objects,)
    images: NDArray[np.int32]  # (objects,), as `Rows.images`


@dataclass(frozen=True, slots=True)
class Measured:
    """What the labels mean by the images. `decision` names one of `meanings`, and says how sure that is."""

    decision: Decision
    meanings: Mapping[str, Meaning]
    seen: int  # objects with a box of any label at their place; only these are judged
    objects: int

    @property
    def meaning(self) -> Meaning:
        """What each label means: the assumed one, unless another was taken."""
        return self.meanings[self.decision.chosen.way]


def measured(found: Rows, objects: Objects, named: Mapping[str, Meaning], classes: int) -> Measured | None:
    """Which assignment of labels to classes fits: one of `named`, one shifted by one, or any one-to-one.

    `named`: way -> meaning, the assumed one first; all for equally many labels. `classes`: how many there are. None
    where no object was seen. Raises `ValueError` without a way.
    """
    assumed = next(iter(named.values()), None)
    if assumed is None:
        raise ValueError("nothing to measure")
    scores = at_their_places(found, objects, len(assumed))
    seen = np.flatnonzero((scores > 0).any(axis=1))
    if not len(seen):
        return None
    scores, truth = scores[seen], objects.classes[seen]
    ways = dict(named)
    ways.setdefault(_ONE_UP, (-1, *assumed[:-1]))
    ways.setdefault(_ONE_DOWN, (*assumed[1:], -1))
    said = scores.argmax(axis=1)
    first = next(iter(named))
    candidates = [_candidate(way, meaning, scores, truth, int(way != first)) for way, meaning in ways.items()]
    best = _best_meaning(said, truth, len(assumed), classes)
    if best not in ways.values():
        ways[REORDERED] = best
        candidates.append(_reordered(best, said, scores, truth, classes))
    return Measured(judged(candidates, truth), ways, len(seen), len(objects.classes))


def at_their_places(found: Rows, objects: Objects, labels: int) -> Scores:
    """For each object and label the highest score of a box at the object's place, 0 for none: (objects, labels)."""
    scores = np.zeros((len(objects.classes), labels), np.float32)
    for image in np.unique(objects.images).tolist():
        mine = np.flatnonzero(objects.images == image)
        boxes = found.of(image)
        there = _overlap(objects.boxes[mine], boxes.boxes) >= _SAME_PLACE
        for row, place in enumerate(mine.tolist()):
            near = there[row] & (boxes.labels < labels)
            np.maximum.at(scores[place], boxes.labels[near], boxes.scores[near])
    return scores


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """Intersection over union of all pairs: (one, other)."""
    rows, columns = np.indices((len(one), len(other)))
    a, b = one.astype(np.float64)[rows.ravel()], other.astype(np.float64)[columns.ravel()]
    return iou(a, b).reshape(rows.shape)


def _candidate(way: str, meaning: Meaning, scores: Scores, truth: Indices, departures: int) -> Candidate:
    right = np.asarray(meaning)[scores.argmax(axis=1)] == truth
    return Candidate(way, None, right, _loss(meaning, scores, truth), departures)


def _reordered(best: Meaning, said: Indices, scores: Scores, truth: Indices, classes: int) -> Candidate:
    """The best meaning, for each half of a class's objects judged by what is best for the other half."""
    half = np.zeros(len(truth), np.bool_)
    for index in range(classes):
        half[np.flatnonzero(truth == index)[1::2]] = True
    right = np.zeros(len(truth), np.bool_)
    for part in (half, ~half):
        learnt = np.asarray(_best_meaning(said[~part], truth[~part], scores.shape[1], classes))
        right[part] = learnt[said[part]] == truth[part]
    return Candidate(REORDERED, best, right, _loss(best, scores, truth), 2)


def _best_meaning(said: Indices, truth: Indices, labels: int, classes: int) -> Meaning:
    """The one-to-one meaning of the labels that is right most often; labels beyond the classes mean none."""
    from scipy.optimize import linear_sum_assignment

    votes = np.zeros((labels, classes), np.int64)
    np.add.at(votes, (said, truth), 1)
    rows, columns = linear_sum_assignment(votes, maximize=True)
    meant = np.full(labels, -1)
    meant[rows] = np.where(votes[rows, columns] > 0, columns, -1)
    return tuple(meant.tolist())


def _loss(meaning: Meaning, scores: Scores, truth: Indices) -> float:
    """The mean negative logarithm of the score of the right label."""
    label_of = {index: label for label, index in enumerate(meaning) if index >= 0}
    columns = np.array([label_of.get(index, -1) for index in truth.tolist()])
    right = np.where(columns >= 0, scores[np.arange(len(truth)), columns], 0).astype(np.float64)
    return float(-np.log(np.maximum(right, 1e-7)).mean())
