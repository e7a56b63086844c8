"""The forms of a detector's outputs, and the detections in them after non-maximum suppression.

scores-boxes, boxes-scores   two outputs, (anchors, classes) with the background first and (anchors, 4) corners:
                             jetson-inference's ssd-mobilenet
yolo                         one, (4 + classes, anchors): centre, size, scores. Ultralytics' YOLO v8 and later
yolo-objectness              one, (anchors, 5 + classes): centre, size, objectness, scores. YOLO v5, v7, YOLOX
suppressed                   one, (boxes, 6): corners, score, class. YOLO v10, or exports with NMS inside
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Seen = tuple[int, float, Floats]  # class, score, corners

_SSD = 0.5, 0.45  # score (jetson-inference's detectNet); overlap (train_ssd) above which two boxes count as one
_YOLO = 0.25, 0.7  # Ultralytics' `conf` and `iou` of predict
_YOLO_OBJECTNESS = 0.25, 0.45  # YOLO v5's detect.py
_MOST_SUPPRESSED = 1000  # boxes; Ultralytics gives 300


def head_of(names: Sequence[str], outputs: Sequence[Floats]) -> tuple[str, int]:
    """The head with such outputs for one image, and its number of classes, background included.

    Raises `ValueError` for outputs that are not a detector's.
    """
    shapes = [output.shape for output in outputs]
    if any(len(shape) != 3 for shape in shapes) or len(shapes) not in (1, 2):
        raise ValueError(f"a detector gives scores and boxes for each anchor; this one gives {shapes}")
    if len(shapes) == 2:
        boxes = _boxes_output(names, shapes)
        return ("boxes-scores", "scores-boxes")[boxes], shapes[1 - boxes][2]
    _, one, other = shapes[0]
    if other == 6 and one <= _MOST_SUPPRESSED:
        return "suppressed", max(2, int(outputs[0][..., 5].max(initial=0)) + 1)
    if 4 < one < other:
        return "yolo", one - 4
    if 5 < other < one:
        return "yolo-objectness", other - 5
    raise ValueError(
        f"a detector gives (4 + classes, anchors) or (anchors, 5 + classes); this one gives {shapes[0][1:]}"
    )


def _boxes_output(names: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> int:
    """The index of the output that holds the boxes: by its name, else by its shape (1, boxes, 4)."""
    fours = [index for index, shape in enumerate(shapes) if shape[2] == 4]
    if not fours or shapes[0][1] != shapes[1][1]:
        raise ValueError(f"a detector gives scores and a box of 4 numbers for each anchor; this one gives {shapes}")
    named = [index for index in fours if "box" in names[index].casefold()]
    return (named or fours)[-1]


def seen(head: str, outputs: Sequence[Floats], index: int) -> list[Seen]:
    """The detections in image `index` of a batch, by class, the highest score first."""
    match head:
        case "scores-boxes" | "boxes-scores":
            boxes = head == "scores-boxes"
            return _classes(outputs[1 - boxes][index, :, 1:], outputs[boxes][index], *_SSD, first=1)
        case "yolo":
            rows = outputs[0][index].T
            return _likeliest(rows[:, 4:], rows[:, :4], *_YOLO)
        case "yolo-objectness":
            rows = outputs[0][index]
            return _likeliest(rows[:, 5:] * rows[:, 4:5], rows[:, :4], *_YOLO_OBJECTNESS)
        case "suppressed":
            rows = outputs[0][index]
            return [(int(row[5]), float(row[4]), row[:4]) for row in rows[rows[:, 4] > _YOLO[0]]]
    raise ValueError(f"no head {head!r}")


def _likeliest(scores: Floats, centred: Floats, least: float, overlap: float) -> list[Seen]:
    """The detections, where each anchor has only its likeliest class, and boxes are centre and size."""
    likely = np.flatnonzero(scores.max(axis=1) > least)
    scores, centred = scores[likely], centred[likely]
    half = centred[:, 2:] / 2
    corners = np.concatenate([centred[:, :2] - half, centred[:, :2] + half], axis=1)
    best = np.zeros_like(scores)
    rows = np.arange(len(scores))
    chosen = scores.argmax(axis=1)
    best[rows, chosen] = scores[rows, chosen]
    return _classes(best, corners, least, overlap, first=0)


def _classes(scores: Floats, boxes: Floats, least: float, overlap: float, *, first: int) -> list[Seen]:
    found: list[Seen] = []
    for label in np.flatnonzero((scores > least).any(axis=0)).tolist():
        likely = np.flatnonzero(scores[:, label] > least)
        for index in _suppressed(boxes[likely], scores[likely, label], overlap):
            found.append((label + first, float(scores[likely[index], label]), boxes[likely[index]]))
    return found


def _suppressed(boxes: Floats, scores: Floats, overlap: float) -> list[int]:
    """The indices of the boxes to keep, highest score first: none overlaps a box with a higher score too much."""
    kept: list[int] = []
    left = np.argsort(-scores, kind="stable")
    areas = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    while len(left):
        first, left = int(left[0]), left[1:]
        kept.append(first)
        corner, other = np.maximum(boxes[first, :2], boxes[left, :2]), np.minimum(boxes[first, 2:], boxes[left, 2:])
        shared = np.prod(np.clip(other - corner, 0, None), axis=1)
        left = left[shared <= overlap * (areas[first] + areas[left] - shared)]
    return kept
