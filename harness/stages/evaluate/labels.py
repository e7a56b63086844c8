"""Matches a model's labels with the assignment's classes, and reads its answers by them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.findings import Finding, finding
from harness.stages.evaluate.scenes import Scenes

OTHER = -1  # predicted a label outside the assignment's classes
_MOST_UNKNOWN = 10  # labels that a finding names

Probabilities = NDArray[np.float32]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Truth:
    """The held-out labels: image i has the class `classes[of[i]]`.

    `scenes`: a number for each image, equal for images of one scene; None where each is a scene of its own.
    """

    classes: tuple[str, ...]
    of: Indices
    scenes: Indices | None = None

    def grouped(self) -> Scenes:
        """The scenes of the images. Raises `ValueError` when there are no images."""
        return Scenes(np.arange(len(self.of)) if self.scenes is None else self.scenes)


def match_labels(labels: tuple[str, ...], classes: tuple[str, ...]) -> tuple[Indices, list[Finding]]:
    """For each class the column of its label, -1 when the model lacks it; and findings.

    Names match regardless of case, spaces, hyphens, underscores, dots, Unicode form and a plural s. The closest form is
    matched first, and each label matches one class only.
    """
    free = dict(enumerate(labels))
    matched: dict[str, int] = {}
    for form in FORMS:
        formed = {column: form(label) for column, label in free.items()}  # computed once, since there may be thousands
        for name in classes:
            wanted = form(name)
            same = [column for column in free if formed[column] == wanted]
            if name not in matched and same:
                matched[name] = same[0]
                del free[same[0]]
    column_of = np.array([matched.get(name, -1) for name in classes], dtype=np.int64)
    findings = [finding("class-missing", name=name) for name in classes if name not in matched]
    findings += [finding("class-unknown", name=label) for label in list(free.values())[:_MOST_UNKNOWN]]
    return column_of, findings


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFD", name)
    for _ in range(2):  # compatibility caseless matching: the Unicode Standard, 3.13, D146
        folded = unicodedata.normalize("NFKD", folded.casefold())
    return re.sub(r"[\s_\-.]+", "", folded) or folded


def _singular(name: str) -> str:
    return _plain(name).removesuffix("s")


FORMS: tuple[Callable[[str], str], ...] = (str, _plain, _singular)  # in which names are compared, the closest first


def predictions(probabilities: Probabilities, column_of: Indices) -> Indices:
    """The class of the most probable label, -1 when it is not one of the classes. Ties: the first label."""
    class_of = np.full(probabilities.shape[1], OTHER, dtype=np.int64)
    for index, column in enumerate(column_of):
        if column >= 0:
            class_of[column] = index
    predicted: Indices = class_of[probabilities.argmax(axis=1)]
    return predicted


def answered_right(probabilities: Probabilities, labels: tuple[str, ...], truth: Truth) -> NDArray[np.bool_]:
    """For each image, whether its most probable label is that of its class."""
    column_of, _ = match_labels(labels, truth.classes)
    right: NDArray[np.bool_] = predictions(probabilities, column_of) == truth.of
    return right
