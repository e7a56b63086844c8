"""The plain table, as `harness grade` writes it: grades.csv."""

from __future__ import annotations

from harness.gradebook.results import Results
from harness.report.export.grades_csv import text

TITLE = "CSV"


def files(results: Results, column: str) -> dict[str, str]:
    """grades.csv; it has no column for the assignment."""
    return {"grades.csv": text(results)}
