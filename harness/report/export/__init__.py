"""Writes files that other programs read."""

from harness.report.export.bench_files import write_bench
from harness.report.export.bench_markdown import write_markdown
from harness.report.export.feedback import write_feedback
from harness.report.export.grades_csv import row as grades_row
from harness.report.export.grades_csv import write as write_grades_csv
from harness.report.export.results_json import schema as results_schema
from harness.report.export.results_json import write as write_results_json

__all__ = [
    "grades_row",
    "results_schema",
    "write_bench",
    "write_feedback",
    "write_grades_csv",
    "write_markdown",
    "write_results_json",
]
