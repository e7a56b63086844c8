"""grades.csv: one row for each submission, safe to open in a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.boundary.one_by_one import Defect, for_each
from harness.files.whole_file import write_whole
from harness.gradebook.results import Results, SubmissionResult
from harness.report.tables.spreadsheet import harmless, points
from harness.report.tables.writing import FOR_PROGRAMS, as_csv

if TYPE_CHECKING:
    import pandas

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
    return as_csv(frame(results), FOR_PROGRAMS, {"points": points, "max_points": points, "percent": "{:.1f}".format})


def frame(results: Results) -> pandas.DataFrame:
    """`COLUMNS` of each submission. Of one on which the harness failed, only the id, the status and the finding."""
    import pandas

    rows = for_each("its row of grades.csv", results.submissions, row, _lost)
    made = pandas.DataFrame.from_records(rows, columns=list(COLUMNS))
    counts = {"late_days": "Int64", "tries": "Int64"}
    return made.astype({"points": float, "max_points": float, "percent": float, **counts})


def _lost(row: SubmissionResult, found: Defect) -> tuple[object, ...]:
    return (row.id, None, None, None, None, "needs-review", found.finding.code, None, None, None)


def row(row: SubmissionResult) -> tuple[object, ...]:
    """The values of `COLUMNS`; texts are harmless, so that what fails in one costs its submission alone."""
    codes = dict.fromkeys(finding.code for finding in row.findings)
    return (
        harmless(row.id),
        harmless(row.student),
        row.points,
        row.max_points,
        100 * row.points / row.max_points if row.max_points else 0.0,
        row.status,
        ";".join(codes),
        row.late_days,
        row.tries,
        harmless("; ".join(row.members)),
    )
