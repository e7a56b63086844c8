"""Compares two models on the same images: the paired difference in accuracy, and its significance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from harness.stages.evidence.record import Interval

Right = NDArray[np.bool_]  # one for each image: whether the answer was right


@dataclass(frozen=True, slots=True)
class Comparison:
    """A model against the reference; `difference` is accuracy minus the reference's."""

    reference_accuracy: float
    difference: float
    interval: Interval  # 95 %, paired bootstrap over the images
    mcnemar_p: float


def compare(right: Right, reference_right: Right, resamples: NDArray[np.int64]) -> Comparison:
    """The comparison. `resamples`: indices of images, shape (resamples, images)."""
    gain = right.astype(np.float64) - reference_right.astype(np.float64)
    low, high = np.percentile(gain[resamples].mean(axis=1), [2.5, 97.5])
    return Comparison(
        float(reference_right.mean()), float(gain.mean()), (float(low), float(high)), mcnemar(right, reference_right)
    )


def mcnemar(right: Right, other_right: Right) -> float:
    """The exact two-sided McNemar p-value: a binomial test on the images where exactly one model is right."""
    only_one = int((right & ~other_right).sum())
    only_other = int((~right & other_right).sum())
    if only_one + only_other == 0:
        return 1.0
    return float(binomtest(only_one, only_one + only_other, 0.5).pvalue)
