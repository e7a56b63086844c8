"""Finds faults by the scores: labels in the wrong order, and a pre-processing that does not fit the model.

Both are reported only when that explanation is far and significantly better, because a false alarm accuses a
student.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.findings import Finding, finding
from harness.stages.evaluate.comparison import Right, mcnemar
from harness.stages.evidence.evaluation import Remedy

# Labels are mixed up in cycles (two swapped, or three in a circle), and each cycle is judged on the images of its
# own classes. A weak model confuses classes one way; it seldom takes most of A for B and most of B for A. In a
# simulation of 20,000 honest models with random biases and confusions, 0.1 % raised an alarm, and all of these were
# right on fewer than half of the images.
_CYCLE_ACCURACY = 0.60  # after correction
_CYCLE_RECALL = 0.50  # of every class in it, after correction
_CYCLE_GAIN = 0.30
_CYCLE_P = 1e-3
_PREPROCESSING_GAIN = 0.10
_PREPROCESSING_P = 1e-3  # after Bonferroni; at 0.01, a course of 300 would see up to three false alarms


def mixed_up_labels(
    predicted: NDArray[np.int64], truth: NDArray[np.int64], classes: tuple[str, ...], code: str = "labels-swapped"
) -> tuple[dict[int, int], list[Finding]]:
    """The finding `code`, when another order of the labels is right far more often; and that order.

    `predicted`: index of a class, or -1 for another label. The order has only the mixed-up classes: index of the
    predicted class -> index of the intended class.
    """
    put_right = predicted.copy()
    order: dict[int, int] = {}
    for cycle in _cycles(_best_order(predicted, truth, len(classes))):
        meant = predicted.copy()
        for label, instead in cycle.items():
            meant[predicted == label] = instead
        if _is_a_mix_up(cycle, meant == truth, predicted == truth, truth):
            put_right = np.where(np.isin(predicted, list(cycle)), meant, put_right)
            order |= cycle
    if not order:
        return {}, []
    swaps = ", ".join(f"{classes[label]!r} read as {classes[instead]!r}" for label, instead in order.items())
    would, is_ = float((put_right == truth).mean()), float((predicted == truth).mean())
    return order, [finding(code, swaps=swaps, would=would, is_=is_)]


def _best_order(predicted: NDArray[np.int64], truth: NDArray[np.int64], count: int) -> dict[int, int]:
    """The permutation of labels with the most right answers (Hungarian method)."""
    from scipy.optimize import linear_sum_assignment

    votes = np.zeros((count, count), dtype=np.int64)
    known = predicted >= 0
    np.add.at(votes, (predicted[known], truth[known]), 1)
    labels, instead = linear_sum_assignment(votes, maximize=True)
    return dict(zip(labels.tolist(), instead.tolist(), strict=True))


def _cycles(order: dict[int, int]) -> list[dict[int, int]]:
    """The permutation's cycles, without fixed points."""
    left, cycles = dict(order), []
    while left:
        start = label = next(iter(left))
        cycle = {}
        while label in left:
            cycle[label] = left.pop(label)
            label = cycle[label]
        if cycle[start] != start:
            cycles.append(cycle)
    return cycles


def _is_a_mix_up(cycle: dict[int, int], put_right: Right, right: Right, truth: NDArray[np.int64]) -> bool:
    inside = np.isin(truth, list(cycle))
    gain = float(put_right[inside].mean() - right[inside].mean())
    return (
        gain >= _CYCLE_GAIN
        and float(put_right[inside].mean()) >= _CYCLE_ACCURACY
        and all(put_right[truth == name].mean() >= _CYCLE_RECALL for name in cycle if name in truth)
        and mcnemar(put_right, right) <= _CYCLE_P
    )


def wrong_preprocessing(
    right: Right, probes: Mapping[str, Right], code: str = "preprocessing-mismatch"
) -> tuple[list[Remedy], list[Finding]]:
    """The finding `code`, when another common pre-processing is right far more often; and how to put it right.

    `right` and each probe have one entry for each image on which the probes were tried.
    """
    if not probes:
        return [], []
    best = max(probes, key=lambda name: float(probes[name].mean()))
    would, is_ = float(probes[best].mean()), float(right.mean())
    p = mcnemar(probes[best], right) * len(probes)
    if would - is_ < _PREPROCESSING_GAIN or p > _PREPROCESSING_P:
        return [], []
    remedy = Remedy(of="preprocessing", to=best, accuracy=is_, would=would, images=len(right))
    return [remedy], [finding(code, is_=is_, would=would, images=len(right), other=best)]
