"""Blackboard's work-offline upload: tab-separated `"Username"`, `"<column> [Total Pts: 100]"`."""

from __future__ import annotations

from harness.gradebook.results import Results
from harness.report.export.claims import exportable, not_exported
from harness.report.export.spreadsheet import harmless, points

TITLE = "Blackboard"


def files(results: Results, column: str) -> dict[str, str]:
    """blackboard.txt: every cell quoted, as Blackboard writes it."""
    title = (
        column if "[Total Pts:" in column else f"{column} [Total Pts: {points(results.assignment.max_points)} Score]"
    )
    rows = [("Last Name", "First Name", "Username", title)]
    for row in exportable(results):
        score = "" if row.is_open else points(row.points)
        rows.append((row.student, "", row.lms_id or row.id, score))
    lines = ("\t".join(_quoted(cell) for cell in cells) for cells in rows)
    return {"blackboard.txt": "\n".join(lines) + "\n"}


def why_not(results: Results) -> dict[str, str]:
    """Id -> why it is left out."""
    return not_exported(results)


def _quoted(cell: str) -> str:
    return '"' + harmless(cell).replace('"', '""') + '"'
