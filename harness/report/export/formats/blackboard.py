"""Blackboard's work-offline upload: tab-separated `"Username"`, `"<column> [Total Pts: 100]"`."""

from __future__ import annotations

from harness.gradebook.results import Results
from harness.report.export.claims import exportable, not_exported
from harness.report.tables.spreadsheet import points
from harness.report.tables.writing import Dialect, csv_of

TITLE = "Blackboard"

_DIALECT = Dialect(separator="\t", quotes_all=True)


def files(results: Results, column: str) -> dict[str, str]:
    """blackboard.txt: every cell quoted, as Blackboard writes it."""
    import pandas

    title = (
        column if "[Total Pts:" in column else f"{column} [Total Pts: {points(results.assignment.max_points)} Score]"
    )
    rows = [(row.student, "", row.lms_id or row.id, None if row.is_open else row.points) for row in exportable(results)]
    frame = pandas.DataFrame.from_records(rows, columns=["Last Name", "First Name", "Username", title])
    return {"blackboard.txt": csv_of(frame, _DIALECT, {title: points})}


def why_not(results: Results) -> dict[str, str]:
    """Id -> why it is left out."""
    return not_exported(results)
