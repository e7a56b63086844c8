"""Brings detections into the form in which they leave the sandbox, and counts what is wrong with them.

A box that is none (NaN, infinite, turned round) is not left out, because a false alarm costs: it becomes an empty box,
which hits nothing. Left out is only what cannot be ranked or belongs to no class, and what is more than agreed.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np

from ..models.loaded_model import Unusable
from .detector import Detections

Fault = Literal["no_score", "no_box", "no_class", "too_many"]
FAULTS: tuple[Fault, ...] = ("no_score", "no_box", "no_class", "too_many")
_FARTHEST = 100.0  # images' sides that a corner may be away from the image's left and top
_MOST_LABELS = 10_000
_ROUNDING = 1e-3  # of a score, outside of 0 to 1


def plain(found: Detections, most: int, labels: int | None) -> tuple[Detections, Counter[Fault]]:
    """The `most` surest detections of one image, the surest first, and how many had which fault.

    `labels`: how many the model counts; None where it does not say. Raises `Unusable` for scores outside of 0 to 1.
    """
    faults: Counter[Fault] = Counter()
    ranked = np.isfinite(found.scores)
    faults["no_score"] = int((~ranked).sum())
    found = found.at(ranked)
    if len(found) and (found.scores.min() < -_ROUNDING or found.scores.max() > 1 + _ROUNDING):
        raise Unusable(
            f"its scores are from {found.scores.min():.3g} to {found.scores.max():.3g}; a detector's are from 0 to 1"
        )
    known = (found.labels >= 0) & (found.labels < (labels or _MOST_LABELS))
    faults["no_class"] = int((~known).sum())
    found = found.at(known)
    faults["too_many"] = max(0, len(found) - most)
    found = found.at(np.argsort(-found.scores, kind="stable")[:most])
    with np.errstate(invalid="ignore"):
        near = (np.abs(found.boxes) <= _FARTHEST).all(axis=1)
        right = np.logical_and(near, (found.boxes[:, 2:] >= found.boxes[:, :2]).all(axis=1))
    faults["no_box"] = int((~right).sum())
    boxes = np.where(right[:, None], found.boxes, np.float32(0))
    return Detections(boxes, found.scores.clip(0, 1), found.labels), +faults
