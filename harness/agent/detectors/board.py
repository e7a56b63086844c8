"""What jetson-inference's detectNet shows on a board: sure boxes only, those of a class that cover each other merged.

As `postProcess`, `postProcessSSD_ONNX` and `clusterDetections` of dusty-nv/jetson-inference, c/detectNet.cpp (MIT), do
it: anchor by anchor, in the model's order, which decides what is merged into what. Boxes of two classes are merged only
where that file is compiled with CLUSTER_INTERCLASS, which its own build never sets; so both stay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .detector import Anchors, Detections, Floats, Found

SCORE = 0.5  # DETECTNET_DEFAULT_CONFIDENCE_THRESHOLD; a box needs at least this
_MOST = 5000  # boxes, the surest; more than any network here shows, and few enough to merge one by one
COVERED = 0.75  # DETECTNET_DEFAULT_CLUSTERING_THRESHOLD, of the larger box's area


def on_board(found: Found, void: frozenset[int] = frozenset()) -> Detections:
    """The boxes that the board shows, cut to the image.

    `void`: the labels of classes that have this name, which it leaves out. Detections of a model that suppresses by
    itself are merged in their order.
    """
    sure = _sure(found)
    sure = sure.at(~np.isin(sure.labels, list(void)))
    sure = sure.at(np.sort(np.argsort(-sure.scores, kind="stable")[:_MOST]))
    boxes, scores, labels = sure.boxes.copy(), sure.scores.copy(), sure.labels.copy()
    kept = 0  # rows 0 to kept - 1 of the three arrays are what the board has so far
    for row in range(len(sure)):
        box, score, label = sure.boxes[row], sure.scores[row], sure.labels[row]
        covering = np.flatnonzero((labels[:kept] == label) & _covers(box, boxes[:kept]))
        if not len(covering):
            boxes[kept], scores[kept], labels[kept] = box, score, label
            kept += 1
            continue
        first = int(covering[0])
        boxes[first, :2] = np.minimum(boxes[first, :2], box[:2])
        boxes[first, 2:] = np.maximum(boxes[first, 2:], box[2:])
        scores[first] = max(scores[first], score)
    return Detections(np.clip(boxes[:kept], 0, 1), scores[:kept], labels[:kept])


def _sure(found: Found) -> Detections:
    """For each anchor its likeliest class; of these, and of detections, those with a score that is high enough."""
    if isinstance(found, Anchors):
        if found.scores.shape[1] == 0:
            return Detections(found.boxes[:0], np.zeros(0, np.float32), np.zeros(0, np.int64))
        scores = np.nan_to_num(found.scores, nan=-np.inf)
        likeliest = scores.argmax(axis=1)
        found = Detections(found.boxes, scores[np.arange(len(scores)), likeliest], likeliest + found.first)
    return found.at(found.scores >= SCORE)


def _covers(box: Floats, others: Floats) -> NDArray[np.bool_]:
    """Which of the others the box shares so much with, relative to the larger of both."""
    corner, other = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(other - corner, 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = shared / np.maximum(areas, np.prod(box[2:] - box[:2]))
    covering: NDArray[np.bool_] = share > COVERED
    return covering
