"""How well a model's confidence agrees with how often it is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.bootstrap import AT_ONCE, RESAMPLES
from harness.stages.evaluate.scenes import Scenes
from harness.stages.evidence.evaluation import CalibrationBin

BINS = 15  # of the calibration error, as in Guo et al. 2017
_SHOWN_BINS = 10  # of the reliability diagram

Confidence = NDArray[np.float32]  # of the most probable label, one for each image


def bin_of(confidence: Confidence, bins: int = BINS) -> NDArray[np.int64]:
    """Each answer's bin, of equal width."""
    numbers: NDArray[np.int64] = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    return numbers


def gaps(confidence: Confidence, right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Shape (images, 15): right (0 or 1) less the confidence, in the column of the answer's bin."""
    columns = np.zeros((len(confidence), BINS))
    columns[np.arange(len(confidence)), bin_of(confidence)] = right - confidence.astype(np.float64)
    return columns


def calibration_error(confidence: Confidence, right: NDArray[np.bool_]) -> float:
    """Expected calibration error of the top label, 15 equal bins (Guo et al., 2017, equation 3)."""
    return min(1.0, float(np.abs(gaps(confidence, right).sum(axis=0)).sum()) / len(confidence))


def errors_by_chance(confidence: Confidence, scenes: Scenes, seed: int = 0) -> NDArray[np.float64]:
    """Calibration errors of a perfectly calibrated model with these confidences, shape (2000,), by seeded simulation.

    Their mean is what noise alone makes of the error with so few images. Images of one scene are right or wrong
    together.
    """
    random, columns = np.random.default_rng(seed), np.zeros((len(confidence), BINS))
    columns[np.arange(len(confidence)), bin_of(confidence)] = 1.0
    expected = confidence.astype(np.float64) @ columns
    block = max(1, min(RESAMPLES, AT_ONCE // len(confidence)))
    found = []
    for start in range(0, RESAMPLES, block):
        draws = random.random((min(block, RESAMPLES - start), scenes.count))[:, scenes.of]
        right = (draws < confidence).astype(np.float64)
        found.append(np.abs(right @ columns - expected).sum(axis=1) / len(confidence))
    return np.concatenate(found)


def calibration(confidence: Confidence, right: NDArray[np.bool_]) -> tuple[CalibrationBin, ...]:
    """Answers grouped by confidence, in ten bins of equal width, without empty ones."""
    bins = bin_of(confidence, _SHOWN_BINS)
    return tuple(
        CalibrationBin(
            images=int(inside.sum()),
            confidence=min(1.0, float(confidence[inside].mean())),
            accuracy=float(right[inside].mean()),
        )
        for inside in (bins == index for index in range(_SHOWN_BINS))
        if inside.any()
    )
