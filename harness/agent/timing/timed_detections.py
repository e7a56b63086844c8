"""Summarises all boxes that a detector gives while it is timed, in memory that does not grow with the queries.

Equal answers to one image are counted; different ones form groups, of which the first answer is kept. So the harness
can compare all of them with boxes that this process never saw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..detectors.detector import Anchors, Detections, Found

_NEAR = 1e-4  # of a corner or a score, within a group
_MOST = 16  # groups for one image; answers like none of them are counted only, as other ones


@dataclass(slots=True)
class _Group:
    image: int
    first: Detections
    count: int

    def holds(self, found: Detections) -> bool:
        mine = self.first
        if len(mine) != len(found) or not np.array_equal(mine.labels, found.labels):
            return False
        near = np.abs(mine.boxes - found.boxes) <= _NEAR
        return bool(near.all() and (np.abs(mine.scores - found.scores) <= _NEAR).all())


class TimedDetections:
    """Answers by image."""

    def __init__(self, plain: Callable[[Found], Detections]) -> None:
        """`plain`: from what a detector gives to the boxes that leave the sandbox; may raise `Unusable`."""
        self._plain = plain
        self._groups: dict[int, list[_Group]] = {}
        self._latest: dict[int, tuple[object, _Group | None]] = {}  # the last answer to each image, bit by bit
        self._others = 0

    def add(self, image: int, found: Found) -> None:
        """Count one answer; call it outside the timed section."""
        exact = _bits(found)
        latest = self._latest.get(image)
        if latest is None or latest[0] != exact:
            latest = exact, self._group(image, self._plain(found))
            self._latest[image] = latest
        self._count(latest[1], 1)

    def add_counted(self, counted: dict[str, Any], boxes: Any, scores: Any, labels: Any) -> None:
        """Add what `summary` returned in another process."""
        ends = np.cumsum(counted["rows"])
        for image, count, rows, end in zip(counted["inputs"], counted["counts"], counted["rows"], ends, strict=True):
            part = slice(end - rows, end)
            self._count(self._group(image, Detections(boxes[part], scores[part], labels[part])), count)
        self._others += counted["others"]

    def summary(self) -> tuple[dict[str, Any], Any, Any, Any]:
        """The groups' images, counts and numbers of boxes, and their boxes, scores and labels, group after group."""
        groups = [group for of_image in self._groups.values() for group in of_image]
        counted = {
            "inputs": [group.image for group in groups],
            "counts": [group.count for group in groups],
            "rows": [len(group.first) for group in groups],
            "others": self._others,
        }
        boxes, scores, labels = (
            np.concatenate([np.zeros(shape, kind), *(getattr(group.first, part) for group in groups)]).astype(kind)
            for part, shape, kind in (("boxes", (0, 4), np.float32), ("scores", 0, np.float32), ("labels", 0, np.int32))
        )
        return counted, boxes, scores, labels

    def _count(self, group: _Group | None, count: int) -> None:
        if group is None:
            self._others += count
        else:
            group.count += count

    def _group(self, image: int, found: Detections) -> _Group | None:
        groups = self._groups.setdefault(image, [])
        held = next((group for group in groups if group.holds(found)), None)
        if held is None and len(groups) < _MOST:
            held = _Group(image, found, 0)
            groups.append(held)
        return held


def _bits(found: Found) -> object:
    arrays = [found.boxes, found.scores] + ([] if isinstance(found, Anchors) else [found.labels])
    return tuple((array.shape, array.tobytes()) for array in arrays)
