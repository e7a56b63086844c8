"""Finds images that are probably in the wrong class.

Confident learning (Northcutt, Jiang and Chuang, 2021): each image gets class probabilities from a model that did not
see it, and the mean probability that the images of a class give to their own class is that class's
threshold. An image whose probability for another class is over that class's threshold is a suspect. The
package cleanlab implements it too, under the AGPL, which this project cannot take in.

The model is the reference's head: logistic regression on the backbone's features. A student's photographs
of two similar objects are easily confused, so a suspect is reported only when its neighbours agree with the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FOLDS = 5
_INVERSE_PENALTY = 1.0  # of the head, on whitened components
_COMPONENTS = 256  # of the standardised features, by singular values
_BLOCK = 256  # images whose features are in double precision at once
_FEWEST = 8  # images of a class; fewer are not judged
_SEED = 1
_NEIGHBOURS, _AGREEING = 5, 3
_SURE = 0.85  # least probability of the other class
_UNLIKELY = 0.08  # largest probability of its own class
# On sets without wrong labels (docs/dataset.md), at most about this share of the errors looks like wrong labels.
_HONEST = 0.05
_SKILLED = 0.8  # cross-validated accuracy that the model needs to judge labels
_CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Suspect:
    picture: int
    label: str
    looks_like: str
    probability: float  # of `looks_like`


def suspects(labels: Sequence[str], groups: NDArray[np.int64], embeddings: NDArray[np.float32]) -> tuple[Suspect, ...]:
    """The suspects, the most certain first; none when the model's own errors explain as many.

    `embeddings`: (images, channels). Images of a group share a fold.
    """
    from scipy.stats import poisson

    classes, truth = np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)
    counts = np.bincount(truth)
    if len(classes) < 2 or counts.min() < _FEWEST:
        return ()
    probability = _cross_validated(embeddings, truth, groups, len(classes))
    if probability is None or (probability.argmax(axis=1) == truth).mean() < _SKILLED:
        return ()
    threshold = np.array([probability[truth == k, k].mean() for k in range(len(classes))])
    over = np.where(probability >= threshold, probability, -1.0)
    looks = over.argmax(axis=1)
    own = probability[np.arange(len(truth)), truth]
    clear = (over.max(axis=1) >= _SURE) & (own <= _UNLIKELY) & (looks != truth)
    lengths = np.maximum(np.sqrt(np.einsum("ij,ij->i", embeddings, embeddings)), 1e-6)
    agreed = [
        i for i in np.nonzero(clear)[0] if _neighbours_agree(int(i), int(looks[i]), truth, groups, embeddings, lengths)
    ]
    errors = int((probability.argmax(axis=1) != truth).sum()) - len(agreed)
    if not agreed or poisson.sf(len(agreed) - 1, _HONEST * max(0, errors)) >= _CHANCE:
        return ()
    found = (
        Suspect(int(i), str(classes[truth[i]]), str(classes[looks[i]]), float(probability[i, looks[i]])) for i in agreed
    )
    return tuple(sorted(found, key=lambda suspect: -suspect.probability))


def _cross_validated(
    embeddings: NDArray[np.float32], truth: NDArray[np.int64], groups: NDArray[np.int64], classes: int
) -> NDArray[np.float64] | None:
    """Probabilities (images, classes), each row from a model without its group; None where a fold lacks a class."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    x = _components(embeddings)
    probability = np.zeros((len(truth), classes))
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=_SEED)
    for inside, outside in folds.split(x, truth, groups):
        if len(np.unique(truth[inside])) < classes:
            return None
        head = LogisticRegression(C=_INVERSE_PENALTY, max_iter=200).fit(x[inside], truth[inside])
        probability[outside] = head.predict_proba(x[outside])
    return probability


def _components(embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """The features' principal components, scaled so that the first has standard deviation 1.

    Computed block by block from sums of products of the standardised features: with 5,000 images, one singular value
    decomposition of all takes 200 MB more.
    """
    from scipy.linalg import eigh

    count, channels = embeddings.shape
    mean = sum(block.sum(axis=0) for block in _blocks(embeddings)) / count
    variance = sum(((block - mean) ** 2).sum(axis=0) for block in _blocks(embeddings)) / count
    spread = np.maximum(np.sqrt(variance), 1e-3)
    products = np.zeros((channels, channels))
    for block in _blocks(embeddings):
        standard = (block - mean) / spread
        products += standard.T @ standard
    kept = min(_COMPONENTS, count, channels)
    directions = eigh(products, subset_by_index=(channels - kept, channels - 1))[1][:, ::-1]
    scaled = np.concatenate([((block - mean) / spread) @ directions for block in _blocks(embeddings)])
    return scaled / max(float(scaled[:, 0].std()), 1e-6)


def _blocks(embeddings: NDArray[np.float32]) -> Iterator[NDArray[np.float64]]:
    for start in range(0, len(embeddings), _BLOCK):
        yield embeddings[start : start + _BLOCK].astype(np.float64)


def _neighbours_agree(
    image: int,
    looks: int,
    truth: NDArray[np.int64],
    groups: NDArray[np.int64],
    embeddings: NDArray[np.float32],
    lengths: NDArray[np.float32],
) -> bool:
    """Whether most of the nearest five images outside its group are in the other class."""
    cosines = (embeddings @ embeddings[image]) / (lengths * lengths[image])
    cosines[groups == groups[image]] = -1.0
    nearest = np.argsort(-cosines)[:_NEIGHBOURS]
    return bool((truth[nearest] == looks).sum() >= _AGREEING)
