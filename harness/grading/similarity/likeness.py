"""Measures how alike two models are, beyond what honest training on the same images explains.

All measures ignore a common factor, and compare models with the same classes. benchmarks/copies.py measures them for
honest models and disguised copies; benchmarks/README.md has the table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SAME_NUMBER = 4e-3  # relative: bfloat16 rounds by at most 2^-8
_DIRECTIONS = 5  # principal directions of the other models, removed before two are compared
_MOST_OTHERS = 64  # models that these directions are taken from
_MOST_CHANNELS = 4096  # that are searched in another layer; where all are equal, the cost is quadratic
_NOTHING_LEFT = 0.02  # of a vector's length; less is rounding


def centred(weights: NDArray[np.float32]) -> Floats:
    """A final layer, less the mean over the classes, which changes no answer, and scaled to length 1.

    Shape (classes, inputs). All zeros where nothing is left.
    """
    exact = weights.astype(np.float64)
    exact = exact - exact.mean(axis=0)
    length = float(np.linalg.norm(exact))
    unit: Floats = exact / length if length > 0 else exact * 0
    return unit


def same_numbers(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The share of the nonzero numbers that are equal within 0.4 % after a common factor.

    Pruning keeps numbers or sets them to 0; rounding to half precision changes each by less.
    """
    a, b = one.astype(np.float64).reshape(-1), other.astype(np.float64).reshape(-1)
    both = (np.abs(a) > 1e-12) & (np.abs(b) > 1e-12)
    if not both.any():
        return 0.0
    ratio = b[both] / a[both]
    middle = float(np.median(ratio))
    return float((np.abs(ratio - middle) < _SAME_NUMBER * abs(middle)).mean())


def channels_apart(one: Floats, other: Floats) -> float:
    """The distance of one layer's channels from the other's nearest channels, in any order.

    It is relative to the distance between each layer's own nearest channels: about 1 for independently trained layers,
    whatever they have in common; 0 for a permuted copy. `one`, `other`: `centred`, (classes, inputs).
    """
    from scipy.spatial import cKDTree

    trees = [cKDTree(layer.T) for layer in (one, other)]
    some = np.unique(np.linspace(0, one.shape[1] - 1, min(one.shape[1], _MOST_CHANNELS)).astype(np.int64))
    asked = [layer.T[some] for layer in (one, other)]
    own = [np.asarray(tree.query(channels, k=2)[0])[:, 1] for tree, channels in zip(trees, asked, strict=True)]
    across = [trees[1].query(asked[0])[0], trees[0].query(asked[1])[0]]
    usual = float(np.sqrt(np.mean(np.square(np.concatenate(own)))))
    found = float(np.sqrt(np.mean(np.square(np.concatenate(across)))))
    return found / usual if usual > 0 else float("inf")


def answers(probabilities: NDArray[np.float32]) -> Floats:
    """A model's logits on the common images, less each image's mean, scaled to length 1.

    Shape (images, classes) -> (images * classes,). A probability below 1e-7 is rounding and counts as 1e-7.
    """
    logits = np.log(np.clip(probabilities.astype(np.float64), 1e-7, None))
    logits -= logits.mean(axis=1, keepdims=True)
    flat = logits.reshape(-1)
    length = float(np.linalg.norm(flat))
    return flat / length if length > 0 else flat * 0


def products(vectors: Floats) -> Floats:
    """The cosine of each pair of `vectors`, shape (models, numbers), each of length 1."""
    return vectors @ vectors.T


def left_in_common(cosines: Floats, i: int, j: int, near: NDArray[np.bool_]) -> tuple[float, int]:
    """The correlation of models i and j after removing what other models have in common; and the number of others.

    Honest training on the same images moves all models in a few common directions; the remainder is each model's own
    initialisation and chance. `near[a]`: models so near to a that they would hide what copies share; they are not
    among the others. The correlation is 0 where nearly nothing is left.
    """
    others = np.flatnonzero(~near[i] & ~near[j])
    others = others[(others != i) & (others != j)]
    if len(others) > _MOST_OTHERS:
        others = others[np.linspace(0, len(others) - 1, _MOST_OTHERS).astype(np.int64)]
    if not len(others):
        return 0.0, 0
    values, directions = np.linalg.eigh(cosines[np.ix_(others, others)])
    kept = values[-_DIRECTIONS:] > 1e-9
    basis = directions[:, -_DIRECTIONS:][:, kept] / np.sqrt(values[-_DIRECTIONS:][kept])
    a, b = cosines[i, others] @ basis, cosines[j, others] @ basis
    left = [1 - float(part @ part) for part in (a, b)]
    if min(left) < _NOTHING_LEFT**2:
        return 0.0, len(others)
    return float(cosines[i, j] - a @ b) / float(np.sqrt(left[0] * left[1])), len(others)
