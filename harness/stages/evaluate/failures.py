"""When a model fails: on corrupted images, on images of no class, and by overconfidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate import intervals
from harness.stages.evaluate.bootstrap import drawn, percentile
from harness.stages.evaluate.intervals import holding, wider
from harness.stages.evaluate.scenes import Scenes
from harness.stages.evidence.record import Interval

Probabilities = NDArray[np.float32]
Indices = NDArray[np.int64]


def accuracies(
    right: NDArray[np.bool_], versions: Sequence[tuple[str, int]]
) -> tuple[float, dict[str, dict[int, float]]]:
    """The accuracy on the unchanged images; and corruption -> severity -> accuracy.

    `right`: shape (1 + versions, images), the first row for the unchanged images.
    """
    found: dict[str, dict[int, float]] = {}
    for (corruption, severity), row in zip(versions, right[1:], strict=True):
        found.setdefault(corruption, {})[severity] = float(row.mean())
    return float(right[0].mean()), found


def unseen_auroc(seen: Probabilities, unseen: Probabilities) -> float:
    """How well the confidence distinguishes images of the classes from others: the area under the ROC curve.

    The confidence is the largest probability (Hendrycks and Gimpel, 2017). 1: always more confident on its classes;
    0.5: no difference. Both arguments have shape (images, labels), with at least one image.
    """
    from sklearn.metrics import roc_auc_score

    confidence = np.concatenate([seen.max(axis=1), unseen.max(axis=1)])
    return float(roc_auc_score(np.repeat([1, 0], [len(seen), len(unseen)]), confidence))


def unseen_auroc_interval(seen: Probabilities, unseen: Probabilities, scenes: Scenes, seed: int = 0) -> Interval:
    """The 95 % interval of `unseen_auroc`: bootstrap over scenes and over unseen images.

    It is at least Newcombe's, in which a scene counts once: where all confidences are apart, no resample varies.
    """
    confidence, other = seen.max(axis=1), np.sort(unseen.max(axis=1))
    value = unseen_auroc(seen, unseen)
    below, up_to = (np.searchsorted(other, confidence, side) for side in ("left", "right"))
    random, beside = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    others = drawn(len(other), beside, like=scenes.count)
    values = []
    for of_scenes, of_others in zip(drawn(scenes.count, random, like=len(other)), others, strict=True):
        weights = of_scenes[:, scenes.of]
        lower = np.hstack([np.zeros((len(of_others), 1)), np.cumsum(of_others, axis=1)])
        won = (lower[:, below] + lower[:, up_to]) / 2
        values.append((weights * won).sum(axis=1) / (weights.sum(axis=1) * len(other)))
    closed = intervals.auroc(value, scenes.effective(1.0), len(other))
    return holding(wider(percentile(np.concatenate(values)), closed), value)


def chosen(truth: Sequence[int], limit: int, seed: int = 0) -> tuple[int, ...]:
    """Indices of at most `limit` images, class-balanced; a smaller sample is a prefix of a larger one."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(truth))
    by_class: dict[int, list[int]] = {}
    for index in order:
        by_class.setdefault(truth[index], []).append(int(index))
    rank = {index: place for members in by_class.values() for place, index in enumerate(members)}
    return tuple(sorted((int(i) for i in order), key=lambda index: (rank[index], truth[index]))[:limit])


def worst(probabilities: Probabilities, right: NDArray[np.bool_], count: int) -> tuple[int, ...]:
    """Indices of the most confident mistakes; if there are too few, then of the least confident answers."""
    confidence = probabilities.max(axis=1)
    mistakes = sorted(np.flatnonzero(~right).tolist(), key=lambda index: -confidence[index])
    unsure = sorted(np.flatnonzero(right).tolist(), key=lambda index: confidence[index])
    return tuple([*mistakes, *unsure][:count])
