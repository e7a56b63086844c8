"""Moodle's offline grading worksheet. It identifies students by `Participant <number>`.

The folder names in Moodle's download have that number. A submission that did not come from Moodle is left out, because
the worksheet cannot identify its sender. A mark that is not final is left empty.
"""

from __future__ import annotations

from harness.gradebook.results import Results
from harness.report.export.claims import exportable, not_exported
from harness.report.tables.spreadsheet import points
from harness.report.tables.writing import FOR_PROGRAMS, csv_of

TITLE = "Moodle"

_HEADER = ("Identifier", "Full name", "Grade", "Maximum Grade", "Grade can be changed", "Feedback comments")


def files(results: Results, column: str) -> dict[str, str]:
    """moodle.csv; the worksheet is uploaded in the assignment itself, so it has no column for it."""
    import pandas

    rows = [
        (
            f"Participant {row.lms_id}",
            row.student,
            None if row.is_open else row.points,
            row.max_points,
            "Yes",
            " ".join(f"{mark.title}: {mark.reason}" for mark in row.marks),
        )
        for row in exportable(results)
        if row.source == "moodle"
    ]
    frame = pandas.DataFrame.from_records(rows, columns=list(_HEADER))
    return {"moodle.csv": csv_of(frame, FOR_PROGRAMS, {"Grade": points, "Maximum Grade": points})}


def why_not(results: Results) -> dict[str, str]:
    """Id -> why it is left out."""
    foreign = [row.id for row in exportable(results) if row.source != "moodle"]
    return {**not_exported(results), **dict.fromkeys(foreign, "Moodle finds people by its own number only")}
