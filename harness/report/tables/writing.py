"""Writes a frame as CSV or .xlsx, in which no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import cannot_write
from harness.files.whole_file import whole_file
from harness.report.tables.spreadsheet import harmless

if TYPE_CHECKING:
    import pandas

_LONGEST = 30_000  # characters of a cell; Excel takes 32,767
_WIDEST = 60  # characters of a column that text is wrapped in


@dataclass(frozen=True, slots=True)
class Dialect:
    """CSV as one kind of reader takes it."""

    separator: str = ","
    quotes_all: bool = False
    one_line: bool = True  # line breaks in a cell are written as spaces, and no cell is shortened


FOR_PEOPLE = Dialect(one_line=False)
FOR_PROGRAMS = Dialect()


def write_csv(frame: pandas.DataFrame, file: Path) -> None:
    """Write it as UTF-8 with a byte-order mark, by which spreadsheets see that it is. Raises `MachineError`."""
    _write(file, "\ufeff".encode() + csv_of(frame).encode())


def csv_of(
    frame: pandas.DataFrame,
    dialect: Dialect = FOR_PEOPLE,
    numbers: Mapping[str, Callable[[float], str]] | None = None,
) -> str:
    """The frame as CSV without a mark; nothing stands where a value is missing.

    `numbers`: by column, how its numbers are written; others as Python does.
    """
    return as_csv(_safe(frame, harmless if dialect.one_line else harmless_lines), dialect, numbers)


def as_csv(
    safe: pandas.DataFrame, dialect: Dialect, numbers: Mapping[str, Callable[[float], str]] | None = None
) -> str:
    """As `csv_of`, of a frame whose texts are all harmless already."""
    import pandas

    safe = safe.copy()
    for index, name in enumerate(safe.columns):  # two columns may have one name: the LMS's, and the assignment's
        if written := (numbers or {}).get(name):
            column = safe.iloc[:, index]
            if pandas.api.types.is_numeric_dtype(column):
                safe.isetitem(index, column.astype(object).map(written, na_action="ignore"))
    quoting = csv.QUOTE_ALL if dialect.quotes_all else csv.QUOTE_MINIMAL
    return str(safe.to_csv(index=False, sep=dialect.separator, quoting=quoting, lineterminator="\n"))


def write_xlsx(frame: pandas.DataFrame, file: Path, sheet: str) -> None:
    """Write it as one sheet with a fixed header, wrapped texts, and numbers as numbers. Raises `MachineError`."""
    import openpyxl
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    safe = _safe(frame, harmless_lines)
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    page.append(list(safe.columns))
    for row in safe.itertuples(index=False):
        page.append([None if value == "" or value != value else value for value in row])
    for cells in page.iter_rows():
        for cell in cells:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if isinstance(cell.value, str):
                cell.data_type = "s"
    for index, name in enumerate(safe.columns, 1):
        longest = max([len(str(name)), *(len(str(value)) for value in safe.iloc[:, index - 1])])
        page.column_dimensions[get_column_letter(index)].width = min(longest + 2, _WIDEST)
        page.cell(1, index).font = Font(bold=True)
    page.freeze_panes = "A2"
    stream = io.BytesIO()
    book.save(stream)
    _write(file, stream.getvalue())


def _safe(frame: pandas.DataFrame, made: Callable[[str], str]) -> pandas.DataFrame:
    """The frame with every text, also of its header, harmless in a spreadsheet."""
    import pandas

    safe = frame.rename(columns=lambda name: made(str(name)))
    for index in range(safe.shape[1]):
        column = safe.iloc[:, index]
        if not pandas.api.types.is_numeric_dtype(column):  # as objects, so that no whole number becomes another kind
            cells = [made(value) if isinstance(value, str) else value for value in column]
            safe.isetitem(index, pandas.Series(cells, column.index, dtype=object))
    return safe


def harmless_lines(text: str) -> str:
    """As `harmless`, line by line: a spreadsheet that takes another separator may begin a cell at each of them."""
    return "\n".join(map(harmless, text.splitlines()))[:_LONGEST]


def _write(file: Path, content: bytes) -> None:
    with cannot_write(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as stream:
            stream.write(content)
