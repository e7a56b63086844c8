"""Brightspace's grade import: `Username,<item> Points Grade,End-of-Line Indicator`, `#` at each line's end.

Brightspace finds students by user name or Org Defined ID, but its download of submissions has neither, only names and
internal numbers. So Username holds the submission's id if it did not come from Brightspace; if it did, the cell is left
empty for the instructor to fill in, beside the full name.
"""

from __future__ import annotations

from harness.gradebook.results import Results, SubmissionResult
from harness.report.export.claims import exportable, not_exported
from harness.report.export.spreadsheet import csv_text, harmless, points

TITLE = "Brightspace"


def files(results: Results, column: str) -> dict[str, str]:
    """brightspace.csv."""
    header = ("Username", "Name", f"{harmless(column)} Points Grade", "End-of-Line Indicator")
    return {"brightspace.csv": csv_text(header, [_row(row) for row in exportable(results)])}


def why_not(results: Results) -> dict[str, str]:
    """Id -> why it is left out."""
    return not_exported(results)


def _row(row: SubmissionResult) -> tuple[str, ...]:
    username = "" if row.source == "brightspace" else row.lms_id or row.id
    return (harmless(username), harmless(row.student), "" if row.is_open else points(row.points), "#")
