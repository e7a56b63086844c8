"""Reads a table that a person or an LMS wrote: CSV in any usual dialect, or .xlsx. Nothing in it is evaluated."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.report.tables.spreadsheet import begins_formula

if TYPE_CHECKING:
    import pandas

_MOST_BYTES = 50 * 10**6  # of the file
_MOST_UNPACKED = 400 * 10**6  # of an .xlsx
_MOST_ROWS = 100_000
_SEPARATORS = ",;\t|"
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:[.,][0-9]{1,9})?")


def read_table(file: Path, columns: Collection[str]) -> pandas.DataFrame:
    """The table with these columns and perhaps others; all cells are stripped text, empty where there is nothing.

    Names of columns are compared without case. The index has each row's line in the file. Raises `UsageError` for a
    file that is no table, is too large, or lacks a column.
    """
    try:
        size = file.stat().st_size
        if size > _MOST_BYTES:
            raise UsageError(f"{file}: is larger than {_MOST_BYTES // 10**6} MB", "give a table of one class")
        rows = _sheet(file) if zipfile.is_zipfile(file) else _lines(file, columns)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror or error}", "give a .csv or .xlsx file") from error
    return _frame(file, rows, columns)


def read_number(text: str) -> float | None:
    """The number, with a point or a comma before its decimals; None where the text is no plain number."""
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def _frame(file: Path, rows: list[list[str]], columns: Collection[str]) -> pandas.DataFrame:
    import pandas

    header = [name.strip() for name in rows[0]] if rows else []
    known = {name.casefold(): name for name in columns}
    header = [known.get(name.casefold(), name) for name in header]
    missing = [name for name in columns if name not in header]
    if missing:
        there = ", ".join(filter(None, header)) or "none"
        raise UsageError(f"{file}: no column {', '.join(missing)}; it has {there[:500]}", "begin it with its header")
    if twice := sorted({name for name in columns if header.count(name) > 1}):
        raise UsageError(f"{file}: the column {twice[0]} is there twice", "remove one of them")
    width = len(header)
    body = {line: row[:width] + [""] * (width - len(row)) for line, row in enumerate(rows[1:], 2) if any(row)}
    return pandas.DataFrame.from_dict(body, orient="index", columns=header, dtype=str).map(as_read)


def as_read(cell: str) -> str:
    """The cell without the apostrophes by which `harmless_lines` keeps its lines from being formulas."""
    lines = cell.strip().splitlines()
    plain = "\n".join(line[1:] if line.startswith("'") and begins_formula(line[1:]) else line for line in lines)
    return plain.strip()


def _lines(file: Path, columns: Collection[str]) -> list[list[str]]:
    """The cells of a CSV, whose separator is the one by which its header has most of the columns."""
    text = _text(file)
    first, _, rest = text.partition("\n")
    if re.fullmatch(r"sep=.\r?", first, re.IGNORECASE):  # a line of Excel's, for itself
        text = rest
    wanted = {name.casefold() for name in columns}

    def found(separator: str) -> tuple[int, int]:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
        return len(wanted & {name.strip().casefold() for name in header}), len(header)

    try:
        separator = max(_SEPARATORS, key=found)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        rows = [row for row, _ in zip(reader, range(_MOST_ROWS + 1), strict=False)]
    except csv.Error as error:
        raise UsageError(f"{file}: is no CSV: {error}", "save it as CSV again") from error
    return _bounded(file, rows)


def _text(file: Path) -> str:
    content = file.read_bytes()
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ["utf-16"] if is_wide else ["utf-8-sig", "cp1252"]:  # the last: Excel's "CSV" in western Europe
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UsageError(f"{file}: is no text that a spreadsheet wrote", "save it as 'CSV UTF-8', or as .xlsx")


def _sheet(file: Path) -> list[list[str]]:
    """The cells of the first sheet of an .xlsx; of a formula, the value that the spreadsheet last computed."""
    import openpyxl

    try:
        with zipfile.ZipFile(file) as parts:
            if sum(part.file_size for part in parts.infolist()) > _MOST_UNPACKED:
                raise UsageError(f"{file}: is too large when unpacked", "give a table of one class")
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            found = book.worksheets[0].iter_rows(values_only=True)
            rows = [[_cell(value) for value in row] for row, _ in zip(found, range(_MOST_ROWS + 1), strict=False)]
        finally:
            book.close()
    except UsageError:
        raise
    except Exception as error:  # openpyxl raises what the XML and zip parsers do, of many kinds
        raise UsageError(f"{file}: cannot be read as .xlsx: {error}"[:500], "save it as .xlsx or .csv again") from error
    return _bounded(file, rows)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(round(value, 9))
    return str(value)


def _bounded(file: Path, rows: list[list[str]]) -> list[list[str]]:
    if len(rows) > _MOST_ROWS:
        raise UsageError(f"{file}: has over {_MOST_ROWS} rows", "give a table of one class")
    return rows
