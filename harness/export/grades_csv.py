"""grades.csv: one row for each submission, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from harness.export.whole_file import write_whole
from harness.results import Results, SubmissionResult

COLUMNS = (
    "submission",
    "student",
    "points",
    "max_points",
    "percent",
    "status",
    "findings",
    "late_days",
    "tries",
    "members",
)
# A cell that begins with one of these is a formula to a spreadsheet (OWASP, CSV injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write(results: Results, file: Path) -> None:
    """Write the file whole, or not at all. Raises `MachineError`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(row) for row in results.submissions)
    write_whole(file, text.getvalue())


def harmless(text: str) -> str:
    """The text with line breaks and control characters as spaces, and an apostrophe before a formula."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return f"'{plain}" if text.startswith(_FORMULA_STARTS) or plain.lstrip().startswith(_FORMULA_STARTS) else plain


def _points(points: float) -> str:
    """Two decimals at most, as the rubric rounds."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def _row(row: SubmissionResult) -> tuple[str, ...]:
    codes = dict.fromkeys(finding.code for finding in row.findings)
    percent = 100 * row.points / row.max_points if row.max_points else 0.0
    return (
        harmless(row.id),
        harmless(row.student),
        _points(row.points),
        _points(row.max_points),
        f"{percent:.1f}",
        row.status,
        ";".join(codes),
        "" if row.late_days is None else str(row.late_days),
        str(row.tries),
        harmless("; ".join(row.members)),
    )
