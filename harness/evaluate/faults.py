"""Faults that scores give away: labels in the wrong order, and a pre-processing that does not fit the model.

Both are told only when the other explanation is better by a wide margin and beyond chance: a false alarm
accuses a student.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from harness.evaluate.comparison import Right, mcnemar
from harness.findings import Finding, finding

# The best of all orders of the labels fits chance, too, so the gain has to be far beyond what chance gives.
_ORDER_GAIN = 0.20
_ORDER_ACCURACY = 0.50  # with the labels put right the model must be a usable one
_ORDER_P = 1e-4
_PREPROCESSING_GAIN = 0.10
_PREPROCESSING_P = 0.01  # divided by the number of pre-processings tried (Bonferroni)


def mixed_up_labels(
    predicted: NDArray[np.int64], truth: NDArray[np.int64], classes: tuple[str, ...]
) -> list[Finding]:
    """`labels-swapped`, when another order of the labels would be right far more often.

    `predicted`: index of a class, or -1 for a label that is none of them.
    """
    count = len(classes)
    votes = np.zeros((count, count), dtype=np.int64)  # predicted, truth
    known = predicted >= 0
    np.add.at(votes, (predicted[known], truth[known]), 1)
    rows, columns = linear_sum_assignment(votes, maximize=True)
    meant = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    put_right = np.array([meant.get(int(p), -1) for p in predicted])
    would, is_ = float((put_right == truth).mean()), float((predicted == truth).mean())
    p = mcnemar(put_right == truth, predicted == truth)
    if would - is_ < _ORDER_GAIN or would < _ORDER_ACCURACY or p > _ORDER_P:
        return []
    swaps = ", ".join(f"{classes[a]!r} read as {classes[b]!r}" for a, b in meant.items() if a != b)
    return [finding("labels-swapped", swaps=swaps, would=would, is_=is_)]


def wrong_preprocessing(right: Right, probes: Mapping[str, Right]) -> list[Finding]:
    """`preprocessing-mismatch`, when another common pre-processing is right far more often.

    `right` and each probe: one entry for each of the pictures on which the others were tried.
    """
    if not probes:
        return []
    best = max(probes, key=lambda name: float(probes[name].mean()))
    would, is_ = float(probes[best].mean()), float(right.mean())
    p = mcnemar(probes[best], right) * len(probes)
    if would - is_ < _PREPROCESSING_GAIN or p > _PREPROCESSING_P:
        return []
    return [finding("preprocessing-mismatch", is_=is_, would=would, images=len(right), other=best)]
