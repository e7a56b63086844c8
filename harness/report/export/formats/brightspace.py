"""Brightspace's grade import: `Username,<item> Points Grade,End-of-Line Indicator`, `#` at each line's end.

Brightspace finds students by user name or Org Defined ID, but its download of submissions has neither, only names and
internal numbers. So Username holds the submission's id if it did not come from Brightspace; if it did, the cell is left
empty for the instructor to fill in, beside the full name.
"""

from __future__ import annotations

from harness.gradebook.results import Results, SubmissionResult
from harness.report.export.claims import exportable, not_exported
from harness.report.tables.spreadsheet import points
from harness.report.tables.writing import FOR_PROGRAMS, csv_of

TITLE = "Brightspace"


def files(results: Results, column: str) -> dict[str, str]:
    """brightspace.csv."""
    import pandas

    grade = f"{column} Points Grade"
    frame = pandas.DataFrame.from_records(
        [_row(row) for row in exportable(results)], columns=["Username", "Name", grade, "End-of-Line Indicator"]
    )
    return {"brightspace.csv": csv_of(frame, FOR_PROGRAMS, {grade: points})}


def why_not(results: Results) -> dict[str, str]:
    """Id -> why it is left out."""
    return not_exported(results)


def _row(row: SubmissionResult) -> tuple[object, ...]:
    username = "" if row.source == "brightspace" else row.lms_id or row.id
    return (username, row.student, None if row.is_open else row.points, "#")
