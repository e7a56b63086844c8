"""Which boxes and objects lie on one image, and by how much they overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.detection.boxes import Indices

Floats = NDArray[np.float64]


def pairs(box_keys: Indices, object_keys: Indices) -> tuple[Indices, Indices]:
    """Every pair of a box and an object with equal keys: their rows, by box, then by object.

    The key says what is compared: an image, or a class on an image.
    """
    order = np.argsort(object_keys, kind="stable")
    first, last = (np.searchsorted(object_keys[order], box_keys, side) for side in ("left", "right"))
    counts = last - first
    boxes = np.repeat(np.arange(len(box_keys)), counts)
    within = np.arange(len(boxes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return boxes, order[np.repeat(first, counts) + within]


def iou(one: Floats, other: Floats, added: float = 0.0) -> Floats:
    """Intersection over union, row by row; `added` to the union. 0 where both are empty. Shapes (pairs, 4)."""
    sides = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    union = area(one) + area(other) - shared + added
    ratios: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratios


def area(box: Floats) -> Floats:
    areas: Floats = np.maximum(box[:, 2:] - box[:, :2], 0).prod(axis=1)
    return areas


def best(boxes: Indices, overlaps: Floats, count: int) -> tuple[Indices, Floats]:
    """For each of `count` boxes the pair with the largest overlap, the first of equal ones; -1 and 0 without a pair.

    `boxes`, `overlaps`: of each pair, by box. Returns rows of the pairs and the overlaps, shape (count,) each.
    """
    pair, largest = np.full(count, -1), np.zeros(count)
    # The last one written stays: so the smallest overlap comes first, and of equal ones the last pair.
    order = np.lexsort((-np.arange(len(boxes)), overlaps))
    pair[boxes[order]] = order
    largest[boxes[order]] = overlaps[order]
    return pair, largest
