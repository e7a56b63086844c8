"""Compares two models on the same images: the paired difference in accuracy, and its significance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.intervals import holding, paired
from harness.stages.evaluate.scenes import Scenes, of_gains
from harness.stages.evidence.evaluation import PairedDifference

Right = NDArray[np.bool_]  # one for each image: whether the answer was right


def compare(right: Right, other_right: Right, scenes: Scenes | None = None) -> PairedDifference:
    """The accuracy minus the other model's on the same images, with Tango's interval and McNemar's test.

    `scenes`: of the images; by default each is a scene of its own. The interval is that of the effective count of
    images; McNemar's test takes every image as independent.
    """
    gains = right.astype(np.float64) - other_right.astype(np.float64)
    share = 1.0
    if scenes is not None:
        share = scenes.effective(of_gains(gains, scenes)) / len(gains)
    only_one, only_other = float((gains > 0).sum()), float((gains < 0).sum())
    value = float(gains.mean())
    low, high = paired(share * only_one, share * only_other, share * len(gains))
    return PairedDifference(
        value=value, interval=holding((low, high), value, -1.0, 1.0), mcnemar_p=mcnemar(right, other_right)
    )


def mcnemar(right: Right, other_right: Right) -> float:
    """The exact two-sided McNemar p-value: a binomial test on the images where exactly one model is right."""
    from scipy.stats import binomtest

    only_one = int((right & ~other_right).sum())
    only_other = int((~right & other_right).sum())
    if only_one + only_other == 0:
        return 1.0
    return min(1.0, float(binomtest(only_one, only_one + only_other, 0.5).pvalue))
