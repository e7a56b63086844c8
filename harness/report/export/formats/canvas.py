"""Canvas' gradebook import: `Student,ID,SIS User ID,SIS Login ID,Section,<assignment>`.

Canvas finds students by ID, which the file names in its download of submissions contain. A submission that did not come
from Canvas has its id under SIS Login ID. Without the assignment's number in brackets, Canvas makes a new column. A
mark that is not final is left empty, so Canvas keeps its value.
"""

from __future__ import annotations

from harness.gradebook.results import Results, SubmissionResult
from harness.report.export.claims import exportable, not_exported
from harness.report.tables.spreadsheet import points
from harness.report.tables.writing import FOR_PROGRAMS, csv_of

TITLE = "Canvas"


def files(results: Results, column: str) -> dict[str, str]:
    """canvas.csv."""
    import pandas

    possible = ("    Points Possible", "", "", "", "", results.assignment.max_points)
    frame = pandas.DataFrame.from_records(
        [possible, *(_row(row) for row in exportable(results))],
        columns=["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column],
    )
    return {"canvas.csv": csv_of(frame, FOR_PROGRAMS, {column: points})}


def why_not(results: Results) -> dict[str, str]:
    """Id -> why it is left out."""
    return not_exported(results)


def _row(row: SubmissionResult) -> tuple[object, ...]:
    from_canvas = row.source == "canvas"
    id, login = (row.lms_id, "") if from_canvas else ("", row.lms_id or row.id)
    return (row.student, id, "", login, "", None if row.is_open else row.points)
