"""Confusion matrices for a page: which class of the style sheet shades a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    count: int
    shade: str  # a class of the style sheet; empty for none


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    name: str  # empty for what is of no class
    cells: tuple[ConfusionCell, ...]


def confusion_rows(names: Sequence[str], matrix: Sequence[Sequence[int]]) -> list[ConfusionRow]:
    """Rows truth, columns what was said, in the order of `names`. A row or column beyond them is of no class."""
    rows = []
    for truth, row in enumerate(matrix):
        total = sum(row)
        cells = (ConfusionCell(count, _shade(count, total, column == truth)) for column, count in enumerate(row))
        rows.append(ConfusionRow(names[truth] if truth < len(names) else "", tuple(cells)))
    return rows


def _shade(count: int, total: int, right: bool) -> str:
    if count == 0:
        return ""
    return f"{'r' if right else 'w'}{max(1, round(10 * count / total))}"
