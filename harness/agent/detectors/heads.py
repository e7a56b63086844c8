"""The forms of a detector's outputs, and the boxes in them.

scores-boxes, boxes-scores   two outputs, (anchors, classes) with the background first and (anchors, 4) corners:
                             jetson-inference's ssd-mobilenet
yolo                         one, (4 + classes, anchors): centre, size, scores. Ultralytics' YOLO v8 and later
yolo-rows                    one, (anchors, 4 + classes): the same, with an anchor in each row, as other tools export it
yolo-objectness              one, (anchors, 5 + classes): centre, size, objectness, scores. YOLO v5, v7, YOLOX
suppressed                   one, (boxes, 6): corners, score, class. YOLO v10, or exports with NMS inside
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .detector import Anchors, Detections, Floats, Found
from .suppression import Settings, suppressed

Seen = tuple[int, float, Floats]  # class, score, corners

# Each tool's own settings, with which it answers a camera.
_SSD = Settings(0.5, 0.45)  # the score of jetson-inference's detectNet, the overlap of train_ssd
_YOLO = Settings(0.25, 0.7)  # Ultralytics' `conf` and `iou` of predict
_YOLO_OBJECTNESS = Settings(0.25, 0.45)  # YOLO v5's detect.py
_MOST_SUPPRESSED = 1000  # boxes; Ultralytics gives 300
_YOLOS = ("yolo", "yolo-rows", "yolo-objectness")
_SURE, _UNSURE = 0.5, 0.25  # scores: an object that is surely there is of some class
_MOST_SURE = 0.1  # of the anchors; objects take few, but an anchor with a small objectness may have any class


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
    if other == 6 and one <= _MOST_SUPPRESSED and _are_classes(outputs[0][..., 5]):
        return "suppressed", max(2, _largest(outputs[0][..., 5]) + 1)
    if 4 < one < other:
        return "yolo", one - 4
    if 5 == other < one:
        return "yolo-rows", 1
    if 5 < other < one:
        return "yolo-objectness", other - 5
    raise ValueError(
        "a detector gives (4 + classes, anchors), (anchors, 4 + classes) or (anchors, 5 + classes); this one gives "
        f"{shapes[0][1:]}"
    )


def head_of_rows(rows: Sequence[Floats], named: int, declared: int = 0) -> tuple[str, int]:
    """Whether rows (anchors, numbers) of some images hold an objectness, and the number of classes.

    `named`: how many classes the file names, 0 for none; that decides where it fits. Else their values do, and where
    these show nothing, `declared`: how many classes labels.txt names. Without either there is an objectness, as YOLO
    v5 has one.
    """
    numbers = rows[0].shape[1]
    if numbers == 5:
        plain = True
    elif named in (numbers - 5, numbers - 4):
        plain = named == numbers - 4
    else:
        shown = _are_plain(np.concatenate([one[:, 4:] for one in rows]))
        plain = declared == numbers - 4 if shown is None else shown
    return ("yolo-rows", numbers - 4) if plain else ("yolo-objectness", numbers - 5)


def _are_plain(scores: Floats) -> bool | None:
    """Whether all columns of `scores` (anchors, 1 + classes) are classes, the first no objectness; None: not shown.

    A sure object is of one class: then another number beside the first is large only if that is an objectness. Where
    the first never is large, and others are for a few anchors, it is a class that no image shows.
    """
    first, others = scores[:, 0], scores[:, 1:].max(axis=1)
    sure = first > _SURE
    if sure.any():
        return bool(np.median(others[sure]) < _UNSURE)
    return True if 0 < np.mean(others > _SURE) <= _MOST_SURE else None


def is_of(head: str, names: Sequence[str], outputs: Sequence[Floats]) -> bool:
    """Whether outputs have the form of the head; both with an anchor in each row look alike. Raises `ValueError`."""
    rows = ("yolo-rows", "yolo-objectness")
    form = head_of(names, outputs)[0]
    return form == head or (form in rows and head in rows)


def _are_classes(column: Floats) -> bool:
    """Whether these are whole numbers, as classes are and scores are not; one that is NaN is neither."""
    known = column[np.isfinite(column)]
    return bool((known == np.rint(known)).all())


def _largest(column: Floats) -> int:
    """The largest class of a column; one that is NaN or infinite is none."""
    return int(column[np.isfinite(column)].max(initial=0))


def _boxes_output(names: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> int:
    """The index of the output that holds the boxes: by its name, else by its shape (1, boxes, 4)."""
    fours = [index for index, shape in enumerate(shapes) if shape[2] == 4]
    if not fours or shapes[0][1] != shapes[1][1]:
        raise ValueError(f"a detector gives scores and a box of 4 numbers for each anchor; this one gives {shapes}")
    named = [index for index in fours if "box" in names[index].casefold()]
    return (named or fours)[-1]


def found_in(head: str, outputs: Sequence[Floats], index: int) -> Found:
    """The boxes of image `index` of a batch, in the outputs' own unit. Raises `ValueError` for no known head."""
    match head:
        case "scores-boxes" | "boxes-scores":
            boxes = head == "scores-boxes"
            return Anchors(outputs[boxes][index], outputs[1 - boxes][index, :, 1:], first=1)
        case "yolo":
            rows = outputs[0][index].T
            return Anchors(corners(rows[:, :4]), rows[:, 4:])
        case "yolo-rows":
            rows = outputs[0][index]
            return Anchors(corners(rows[:, :4]), rows[:, 4:])
        case "yolo-objectness":
            rows = outputs[0][index]
            return Anchors(corners(rows[:, :4]), rows[:, 5:] * rows[:, 4:5])
        case "suppressed":
            rows = outputs[0][index]
            with np.errstate(invalid="ignore"):  # a class that is NaN is that of no box
                return Detections(rows[:, :4], rows[:, 4], np.nan_to_num(rows[:, 5], nan=-1).astype(np.int64))
    raise ValueError(f"no head {head!r}")


def corners(centred: Floats) -> Floats:
    """Left, top, right, bottom of boxes (boxes, 4) that are given as centre and size."""
    half = centred[:, 2:] / 2
    return np.concatenate([centred[:, :2] - half, centred[:, :2] + half], axis=1)


def seen(head: str, outputs: Sequence[Floats], index: int) -> list[Seen]:
    """The detections in image `index` of a batch as the tool's own camera program has them, by class.

    A YOLO's anchor has only its likeliest class. In each class the highest score comes first.
    """
    found = found_in(head, outputs, index)
    if isinstance(found, Anchors):
        if head in _YOLOS:
            found = suppressed(_likeliest(found), _YOLO_OBJECTNESS if head == "yolo-objectness" else _YOLO)
        else:
            found = suppressed(found, _SSD)
    else:
        found = found.at(found.scores > _YOLO.score)
    return list(zip(found.labels.tolist(), found.scores.tolist(), found.boxes, strict=True))


def _likeliest(anchors: Anchors) -> Anchors:
    """The anchors with a score for their likeliest class only."""
    best = np.zeros_like(anchors.scores)
    rows, chosen = np.arange(len(best)), anchors.scores.argmax(axis=1)
    best[rows, chosen] = anchors.scores[rows, chosen]
    return Anchors(anchors.boxes, best, anchors.first)
