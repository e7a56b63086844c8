"""Writes files that other programs read."""

from harness.report.export.grades_csv import row as grades_row
from harness.report.export.grades_csv import write as write_grades_csv
from harness.report.export.results_json import schema as results_schema
from harness.report.export.results_json import write as write_results_json

__all__ = [
    "grades_row",
    "results_schema",
    "write_grades_csv",
    "write_results_json",
]
