"""The predict stage's probabilities, out of the store, against the held-out labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.evidence import Blob, Done, Evaluation, Predictions
from harness.images import HeldOutSet
from harness.store import Store


def _array(blob: Blob, store: Store) -> NDArray[np.float32]:
    array: NDArray[np.float32] = np.load(store.path(blob), allow_pickle=False)
    return array
