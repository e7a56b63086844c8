"""Short ways to write down images, objects and boxes."""

from __future__ import annotations

import numpy as np

from harness.stages.evaluate.detection import Detections, LabelledImages, ObjectTruth

Row = tuple[float, ...]


def boxes(*rows: Row) -> Detections:
    """Rows: image, left, top, right, bottom, score, label."""
    table = np.array(rows, np.float64).reshape(-1, 7)
    return Detections(
        table[:, 0].astype(np.int32),
        table[:, 1:5].astype(np.float32),
        table[:, 5].astype(np.float32),
        table[:, 6].astype(np.int32),
    )


def objects(*rows: Row) -> ObjectTruth:
    """Rows: image, left, top, right, bottom, label, ignored."""
    table = np.array(rows, np.float64).reshape(-1, 7)
    return ObjectTruth(
        table[:, 0].astype(np.int32),
        table[:, 1:5].astype(np.float32),
        table[:, 5].astype(np.int32),
        table[:, 6].astype(np.bool_),
    )


def labelled(
    truth: ObjectTruth, images: int, classes: int = 1, scenes: np.ndarray | None = None, size: int = 100
) -> LabelledImages:
    """Images of `size` x `size` pixels."""
    names = tuple("abcdefgh"[:classes])
    return LabelledImages(np.full((images, 2), size, np.int32), truth, names, scenes)
