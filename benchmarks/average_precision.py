"""AP at an overlap of 0.5, over all points of the curve, with its interval. For benchmarks and tests of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OVERLAP = 0.5
Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Scored:
    """One image: of each detection its class, score and whether it is an object; and the objects' classes."""

    labels: Labels
    scores: Floats
    hits: NDArray[np.bool_]
    objects: Labels


def scored(boxes: Floats, labels: Labels, scores: Floats, true_boxes: Floats, true_labels: Labels) -> Scored:
    """From the surest down, each detection takes the object of its class that it overlaps most and none has taken."""
    order = np.argsort(-scores, kind="stable")
    left = np.ones(len(true_labels), bool)
    hits = np.zeros(len(scores), bool)
    for place, i in enumerate(order):
        overlap = np.where(left & (true_labels == labels[i]), _overlaps(boxes[i], true_boxes), 0)
        if len(overlap) and overlap.max() >= OVERLAP:
            hits[place] = True
            left[overlap.argmax()] = False
    return Scored(labels[order], scores[order], hits, true_labels)


def ap50(images: Sequence[Scored]) -> dict[int, float]:
    """AP of each class that has an object."""
    objects = np.concatenate([one.objects for one in images])
    labels, scores, hits = (np.concatenate([getattr(one, of) for one in images]) for of in ("labels", "scores", "hits"))
    found = {}
    for label in np.unique(objects):
        mine = labels == label
        right = hits[mine][np.argsort(-scores[mine], kind="stable")]
        precision = np.cumsum(right) / np.arange(1, len(right) + 1)
        highest = np.maximum.accumulate(precision[::-1])[::-1]
        found[int(label)] = float((highest * right).sum() / (objects == label).sum())
    return found


def mean_ap50(images: Sequence[Scored]) -> float:
    return float(np.mean(list(ap50(images).values())))


def interval(images: Sequence[Scored], draws: int = 500) -> tuple[float, float]:
    """95 % by a bootstrap over images."""
    random = np.random.default_rng(0)
    means = [mean_ap50([images[i] for i in random.integers(len(images), size=len(images))]) for _ in range(draws)]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def _overlaps(box: Floats, others: Floats) -> Floats:
    inside = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return inside / (areas - inside)
