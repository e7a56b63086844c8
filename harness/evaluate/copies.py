"""Models that are one another's copies: by their weights, and by what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SAME = 1e-3  # of a probability; two trainings of one network differ by percents
_UNSURE = 0.99  # a larger probability says little: many good models give it
_FEWEST_UNSURE = 10  # pictures on which the models are not sure, to tell a copy by its answers

Probabilities = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Known:
    """A model as far as a comparison needs it."""

    name: str | None  # the hand-in; None for the reference
    marks: frozenset[str]  # hashes, of the file and of the weights: one in common is a copy
    labels: tuple[str, ...]
    probabilities: Probabilities  # shape (images, labels), for the same pictures in the same order


@dataclass(frozen=True, slots=True)
class Copy:
    """What a model is the same as, and how that was seen."""

    hand_ins: tuple[str, ...]
    of_reference: bool
    how: str

    def other(self) -> str:
        """Whose model it is, without a name or a number: the student who reads it is not told who else."""
        if self.of_reference:
            return "the reference solution"
        return "another submission"


def copies(models: Sequence[Known]) -> list[Copy | None]:
    """For each model those that it is the same as; None for most.

    The same answers count only where the models are unsure: on ten pictures or more, with the most
    probable class below 0.99. Two models that are right and certain of everything are not copies.
    """
    by_weights = _by_marks(models)
    by_answers = _by_answers(models)
    found: list[Copy | None] = []
    for weights, answers in zip(by_weights, by_answers, strict=True):
        if weights:
            found.append(_copy(models, weights, "its weights are identical"))
        elif answers:
            count = len(models[answers[0]].probabilities)
            how = f"it gives the same answers, to within {_SAME:g}, on all {count} pictures"
            found.append(_copy(models, answers, how))
        else:
            found.append(None)
    return found


def _copy(models: Sequence[Known], others: Sequence[int], how: str) -> Copy:
    names = [models[other].name for other in others]
    return Copy(tuple(name for name in names if name is not None), None in names, how)


def _by_marks(models: Sequence[Known]) -> list[list[int]]:
    owners: dict[str, list[int]] = {}
    for index, model in enumerate(models):
        for mark in model.marks:
            owners.setdefault(mark, []).append(index)
    return [
        sorted({other for mark in model.marks for other in owners[mark]} - {index})
        for index, model in enumerate(models)
    ]


def _by_answers(models: Sequence[Known]) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in models]
    groups: dict[tuple[object, ...], list[int]] = {}
    tables = [_by_label(model) for model in models]
    for index, (labels, table) in enumerate(tables):
        if ((table.max(axis=1) < _UNSURE).sum() if table.size else 0) >= _FEWEST_UNSURE:
            groups.setdefault((labels, table.shape), []).append(index)
    for members in groups.values():
        stacked = np.stack([tables[index][1].ravel() for index in members])
        for index, row in zip(members, stacked, strict=True):
            near = np.flatnonzero(np.abs(stacked - row).max(axis=1) <= _SAME)
            found[index] = [members[other] for other in near if members[other] != index]
    return found


def _by_label(model: Known) -> tuple[tuple[str, ...], Probabilities]:
    """The answers with their columns in the order of the labels' names, however they were ordered."""
    folded = ["".join(label.split()).casefold() for label in model.labels]
    order = sorted(range(len(folded)), key=folded.__getitem__)
    return tuple(folded[column] for column in order), model.probabilities[:, order]
