"""The objects of a data set as the audit sends them: classes by number, corners as shares, within limits."""

from __future__ import annotations

from collections.abc import Sequence

from .image import DatasetImage, Layout
from .placed import placed

_MOST_OBJECTS = 100  # of one image
_MOST_IN_ALL = 200_000  # 7 values each: what 50 parts of the reply hold with the rest (phases/reply_parts.py)
_MOST_CLASSES = 1000
_DIGITS = 5  # of a share: a hundredth of a pixel of 1024

Row = list[int | float]  # class, left, top, right, bottom, whether it is ignored (0 or 1)


class Objects:
    """Objects by image. `classes` grows with the images that are asked for."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._numbers: dict[str, int] = {}
        self._left = _MOST_IN_ALL

    @property
    def classes(self) -> Sequence[str]:
        return tuple(self._numbers)

    def of(self, image: DatasetImage) -> tuple[list[Row], int]:
        """The objects, and how many are not among them: without a class, without an area, or too many."""
        found = placed(image, self._layout) if image.boxes else None
        rows: list[Row] = []
        for box in found.boxes if found else ():
            if len(rows) == min(_MOST_OBJECTS, self._left):
                break
            number = self._number(box.label)
            sides = [round(side, _DIGITS) for side in (box.left, box.top, box.right, box.bottom)]
            if number is not None and sides[0] < sides[2] and sides[1] < sides[3]:
                rows.append([number, *sides, int(box.ignored)])
        self._left -= len(rows)
        return rows, len(image.boxes) - len(rows)

    def _number(self, label: str) -> int | None:
        if not label or (label not in self._numbers and len(self._numbers) == _MOST_CLASSES):
            return None
        return self._numbers.setdefault(label, len(self._numbers))
