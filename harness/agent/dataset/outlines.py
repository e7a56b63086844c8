"""The box around an object that COCO draws as polygons or as a mask: [x, y, width, height], in pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate

_MOST_POINTS = 10_000  # numbers of one object's polygons
_MOST_RUNS = 1_000_000  # of one mask
_NONE = [math.nan] * 4


def box_around(drawn: object) -> list[float]:
    """The box around what `segmentation` holds; four times NaN for anything that is no outline."""
    if isinstance(drawn, list):
        return _around_polygons(drawn)
    return _around_mask(drawn) if isinstance(drawn, dict) else _NONE


def number(value: object) -> float:
    """A number, also one that is written as text; NaN for anything else, and for one beyond all images."""
    if isinstance(value, str) and len(value) < 40:
        try:
            value = float(value)
        except ValueError:
            return math.nan
    return float(value) if isinstance(value, int | float) and abs(value) < 1e9 else math.nan


def _around_polygons(polygons: Sequence[object]) -> list[float]:
    """Each polygon is a list of x, y, x, y, ..."""
    numbers: list[float] = []
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) % 2 or len(numbers) + len(polygon) > _MOST_POINTS:
            return _NONE
        numbers += map(number, polygon)
    if not numbers or not all(map(math.isfinite, numbers)):
        return _NONE
    across, down = numbers[::2], numbers[1::2]
    return [min(across), min(down), max(across) - min(across), max(down) - min(down)]


def _around_mask(mask: dict[object, object]) -> list[float]:
    """A run-length encoding: lengths of runs outside and inside in turn, down the columns, from left to right."""
    size, counts = mask.get("size"), mask.get("counts")
    height = size[0] if isinstance(size, list) and len(size) == 2 and type(size[0]) is int else 0
    runs = list(_unpacked(counts)) if isinstance(counts, str) else counts
    if height <= 0 or not isinstance(runs, list) or len(runs) > _MOST_RUNS:
        return _NONE
    if not all(type(run) is int and 0 <= run < 2**31 for run in runs):
        return _NONE
    ends = list(accumulate(runs))
    inside = [(start, end - 1) for start, end in zip(ends[::2], ends[1::2], strict=False) if end > start]
    if not inside:
        return _NONE
    left, right = inside[0][0] // height, inside[-1][1] // height
    spans = [(a % height, b % height) if a // height == b // height else (0, height - 1) for a, b in inside]
    top, bottom = min(top for top, _ in spans), max(bottom for _, bottom in spans)
    return [left, top, right - left + 1, bottom - top + 1]


def _unpacked(text: str) -> Iterator[int]:
    """The runs in COCO's compressed text: five bits a character, and from the fourth on the difference to the last but
    one. As `rleFrString` of pycocotools has it (common/maskApi.c, BSD)."""
    runs: list[int] = []
    value = shift = 0
    for character in text[:_MOST_RUNS]:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            yield -1  # no run
            return
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        yield runs[-1]
        value = shift = 0
