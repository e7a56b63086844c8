"""The predict stage's probabilities, out of the store, against the held-out labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.evaluate import Answers, Truth, evaluate
from harness.evidence import Blob, Done, Evaluation, Predictions
from harness.images import HeldOutSet
from harness.store import Store


def score(
    predictions: Predictions, held_out: HeldOutSet, reference: Predictions | None, store: Store
) -> Done[Evaluation]:
    """The scores of `predictions`, and against the reference's on the same pictures when they are given."""
    truth = Truth(held_out.classes, np.array(held_out.truth, dtype=np.int64))
    other = _answers(reference, store) if reference is not None else None
    evaluation, findings = evaluate(_answers(predictions, store), truth, other)
    return Done(value=evaluation, findings=findings)


def _answers(predictions: Predictions, store: Store) -> Answers:
    return Answers(
        _array(predictions.probabilities, store),
        predictions.labels,
        np.array(predictions.probe_images, dtype=np.int64),
        {name: _array(blob, store) for name, blob in predictions.probes.items()},
    )


def _array(blob: Blob, store: Store) -> NDArray[np.float32]:
    array: NDArray[np.float32] = np.load(store.path(blob), allow_pickle=False)
    return array
