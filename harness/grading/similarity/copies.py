"""Finds models that are copies of each other, by weights and by answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.findings import sentence
from harness.grading.similarity.disguised import Comparable, disguised

_SAME = 1e-3  # of a probability; two trainings of one network differ by several percent
_UNSURE = 0.99  # a larger probability proves little, because many good models give it
_SEEN = 0.05  # of a detector's score: with lower ones two that find nothing would be alike
_FEWEST_UNSURE = 10  # images on which the models are unsure, needed to recognise a copy by its answers
_MOST_NAMED = 50  # other models; of more, the first are named and all are counted

Probabilities = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Known:
    """What a comparison needs of a model."""

    name: str | None  # the submission; None for the reference
    marks: frozenset[str]  # hashes of file and weights; models that share one are copies
    labels: tuple[str, ...]
    probabilities: Probabilities  # shape (images, labels), for the same images in the same order
    final_layer: Callable[[], NDArray[np.float32]] | None = None  # (labels, inputs); None where it is not known
    # Of a detector, in place of probabilities: the surest score of each of the course's classes on each image. It is
    # the same however overlapping boxes are suppressed, so also behind a student's own code.
    surest: Probabilities | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """The models that a model is a copy of, and the evidence."""

    hand_ins: tuple[str, ...]  # at most 50
    of_reference: bool
    how: str
    others: int  # their number, without the reference
    disguised: bool = False  # nearly the same: nearer than a second training with another seed can get

    def other(self) -> str:
        """Whose model it is, without name or number, because a student reads it."""
        if self.of_reference:
            return sentence("copy-of-reference")
        return sentence("copy-of-another")

    def whose(self) -> str:
        """Who else has the model, for the instructor."""
        more = self.others - len(self.hand_ins)
        return ", ".join(self.hand_ins) + (f", and {more} more" if more else "")


def copies(models: Sequence[Known]) -> list[Copy | None]:
    """For each model, the models that it equals; None for most.

    Equal answers count only where the models are unsure: on ten images or more whose most probable class is below
    0.99, and for detectors at least 0.05. Two models that are right and certain everywhere are not copies.
    `harness.grading.similarity.disguised` finds copies with slightly changed weights or reordered channels.
    """
    by_weights = _by_marks(models)
    by_answers = _by_answers(models)
    in_disguise = disguised([_comparable(model) for model in models])
    found: list[Copy | None] = []
    for weights, answers, other in zip(by_weights, by_answers, in_disguise, strict=True):
        if weights:
            found.append(_copy(models, weights, sentence("copy-identical")))
        elif answers:
            count = len(_answers(models[answers[0]])[1])
            how = sentence("copy-same-answers", within=_SAME, images=count)
            found.append(_copy(models, answers, how))
        elif other is not None:
            found.append(replace(_copy(models, other.others, other.how), disguised=True))
        else:
            found.append(None)
    return found


def _copy(models: Sequence[Known], others: Sequence[int], how: str) -> Copy:
    names = [models[other].name for other in others]
    named = [name for name in names if name is not None]
    return Copy(tuple(named[:_MOST_NAMED]), None in names, how, len(named))


def _comparable(model: Known) -> Comparable:
    labels, table = _by_label(model)
    load, order = model.final_layer, _order(model.labels)
    return Comparable(labels, table, None if load is None else lambda: load()[order])


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
    tables = [_answers(model) for model in models]
    for index, (labels, table) in enumerate(tables):
        highest = table.max(axis=1) if table.size else np.zeros(0)
        least = 0.0 if models[index].surest is None else _SEEN
        if ((highest >= least) & (highest < _UNSURE)).sum() >= _FEWEST_UNSURE:
            groups.setdefault((labels, table.shape), []).append(index)
    for members in groups.values():
        stacked = np.stack([tables[index][1].ravel() for index in members])
        for index, row in zip(members, stacked, strict=True):
            near = np.flatnonzero(np.abs(stacked - row).max(axis=1) <= _SAME)
            found[index] = [members[other] for other in near if members[other] != index]
    return found


def _answers(model: Known) -> tuple[tuple[str, ...], Probabilities]:
    """What a model says of the images, and what the columns are."""
    return _by_label(model) if model.surest is None else (("the course's classes",), model.surest)


def _by_label(model: Known) -> tuple[tuple[str, ...], Probabilities]:
    """The labels in alphabetical order, and the answers with their columns in that order."""
    order = _order(model.labels)
    return tuple(_folded(model.labels[column]) for column in order), model.probabilities[:, order]


def _order(labels: Sequence[str]) -> list[int]:
    return sorted(range(len(labels)), key=lambda column: _folded(labels[column]))


def _folded(label: str) -> str:
    return "".join(label.split()).casefold()
