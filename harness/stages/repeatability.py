"""Compares repeated answers to the same images: whether they depend on the image only, or on its position. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Of a probability. float32 kernels that sum in another order for another batch size differ by about 1e-5; a
# conversion to ONNX is allowed 1e-3 (`harness/agent/phases/convert`), and so is this.
TOLERANCE = 1e-3
# A different answer can also hide in small numbers: it then changes by much of the spread between images. Honest
# models, even nearly constant ones, change by at most a hundredth of that spread.
_SHARE_OF_SPREAD = 0.05
_ROUNDING = 2e-6  # of a probability, after a softmax in float32
CONSTANT = 1e-6  # spread of a probability below which a model is constant

Rows = NDArray[np.float32]


def largest_difference(one: Rows, other: Rows) -> float:
    """The largest absolute difference between two answers to the same images; 0 for none."""
    return float(np.abs(one.astype(np.float64) - other).max(initial=0.0))


def are_different(one: Rows, other: Rows, rows: Rows) -> bool:
    """Whether two answers to the same images differ by more than rounding, for a model that gave `rows` to all images.

    All have shape (images, labels). Answers with different most probable labels are different, however near.
    """
    difference = largest_difference(one, other)
    if difference > TOLERANCE:
        return True
    if not len(one) or float(np.ptp(rows, axis=0).max()) < CONSTANT:
        return False
    if (one.argmax(axis=1) != other.argmax(axis=1)).any():
        return True
    spread = float(np.abs(rows - rows.mean(axis=0)).mean())
    return difference > _ROUNDING and difference > _SHARE_OF_SPREAD * spread
