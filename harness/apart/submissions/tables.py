"""Reads CSV as spreadsheets and LMSs write it, some columns of some rows at a time."""

from __future__ import annotations

import csv
import io
from typing import Any

from .sources import Unreadable, whole

_BYTES = 8_000_000
_CELL_CHARACTERS = 500
_PAGE_CHARACTERS = 120_000  # of one answer; JSON takes up to six characters for one


def table(file: dict[str, Any], wanted: list[str], start: int) -> dict[str, Any]:
    """The header, and the rows from the `start`-th on: `[line, {column: cell}]` with the wanted columns only.

    Columns are compared, and named, in lower case. Raises `Unreadable`.
    """
    text = whole(file, _BYTES).decode("utf-8-sig", "replace")
    first_line = text.partition("\n")[0]
    separator = max(",;\t", key=first_line.count)
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    page: list[Any] = []
    size = 0
    try:
        header = [cell.strip().lower()[:_CELL_CHARACTERS] for cell in next(rows, [])]
        columns = [(at, name) for at, name in enumerate(header) if name in set(wanted)]
        for number, row in enumerate(rows):
            if number < start:
                continue
            cells = {name: row[at].strip()[:_CELL_CHARACTERS] for at, name in columns if at < len(row)}
            size += 20 + sum(len(name) + len(cell) + 6 for name, cell in cells.items())
            if page and size > _PAGE_CHARACTERS:
                return {"header": header[:100], "rows": page, "more": True}
            page.append([rows.line_num, cells])
    except csv.Error as error:
        raise Unreadable(f"line {rows.line_num}: {error}") from error
    return {"header": header[:100], "rows": page, "more": False}
