"""grades.csv: one row for each submission, safe to open in a spreadsheet."""

from __future__ import annotations

from pathlib import Path

from harness.boundary.one_by_one import Defect, for_each
from harness.files.whole_file import write_whole
from harness.gradebook.results import Results, SubmissionResult
from harness.report.export.spreadsheet import csv_text, harmless, points

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


def write(results: Results, file: Path) -> None:
    """Write the file whole, or not at all. Raises `MachineError`."""
    write_whole(file, text(results))


def text(results: Results) -> str:
    """The file's content."""
    return csv_text(COLUMNS, for_each("its row of grades.csv", results.submissions, row, _lost))


def _lost(row: SubmissionResult, found: Defect) -> tuple[str, ...]:
    """The row of a submission on which the harness failed."""
    return (row.id, "", "", "", "", "needs-review", found.finding.code, "", "", "")


def row(row: SubmissionResult) -> tuple[str, ...]:
    """The values of `COLUMNS`."""
    codes = dict.fromkeys(finding.code for finding in row.findings)
    percent = 100 * row.points / row.max_points if row.max_points else 0.0
    return (
        harmless(row.id),
        harmless(row.student),
        points(row.points),
        points(row.max_points),
        f"{percent:.1f}",
        row.status,
        ";".join(codes),
        "" if row.late_days is None else str(row.late_days),
        str(row.tries),
        harmless("; ".join(row.members)),
    )
