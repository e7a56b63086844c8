"""Whether answers belong to an image, or to its place in the order: pure comparisons of answers to the same images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Of a probability. float32 kernels that sum in another order for another batch size differ by about 1e-5; a
# conversion to ONNX is allowed 1e-3 (`harness/agent/phases/convert`), and so is this.
TOLERANCE = 1e-3
# An answer can hide in small numbers, too: then it moves by much of what tells the images apart. Honest models,
# also those that say nearly the same to all images, move by a hundredth of that at most.
_SHARE_OF_SPREAD = 0.05
_ROUNDING = 2e-6  # of a probability, after a softmax in float32
CONSTANT = 1e-6  # spread of a probability below which a model says the same to every image

Rows = NDArray[np.float32]


def largest_difference(one: Rows, other: Rows) -> float:
    """The largest absolute difference between two answers to the same images; 0 for none."""
    return float(np.abs(one.astype(np.float64) - other).max(initial=0.0))


def are_different(one: Rows, other: Rows, rows: Rows) -> bool:
    """Whether two answers to the same images differ by more than rounding, for a model that gave `rows` to all images.

    All of shape (images, labels). An answer with another most probable label is another answer, however near.
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
