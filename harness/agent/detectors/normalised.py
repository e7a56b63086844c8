"""Detections as TensorFlow's detectors give them: top, left, bottom, right as shares of the image, and a count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models.loaded_model import Unusable
from .detector import Detections


def detections(boxes: Any, scores: Any, labels: Any, count: Any) -> Detections:
    """The first `count` of one image's detections. Raises `Unusable` for arrays that do not go together."""
    corners = _floats(boxes).reshape(-1, 4) if _floats(boxes).size % 4 == 0 else np.zeros((0, 4), np.float32)
    sure, classes = _floats(scores).ravel(), _floats(labels).ravel()
    if not len(corners) == len(sure) == len(classes):
        raise Unusable(
            f"it gives {len(corners)} boxes, {len(sure)} scores and {len(classes)} classes; one of each is expected"
        )
    given = _floats(count).ravel()
    number = int(np.nan_to_num(given[0]).clip(0, len(sure))) if len(given) else len(sure)
    whole = np.nan_to_num(classes[:number], nan=-1, posinf=-1, neginf=-1).astype(np.int64)
    return Detections(corners[:number][:, [1, 0, 3, 2]], sure[:number], whole)


def _floats(array: Any) -> NDArray[np.float32]:
    return np.asarray(array, np.float32)
