"""grades.csv: one row for each submission, safe to open in a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.boundary.one_by_one import Defect, for_each
from harness.files.whole_file import write_whole
from harness.gradebook.headline import headline
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
OF_DETECTORS = ("ap50", "ap50_low", "ap50_high", "ap50_difference")  # where the task is detection, after the others
_FORMS = {
    "points": points, "max_points": points, "percent": "{:.1f}".format, **dict.fromkeys(OF_DETECTORS, "{:.4f}".format),
}  # fmt: skip


def write(results: Results, file: Path) -> None:
    """Write the file whole, or not at all. Raises `MachineError`."""
    write_whole(file, text(results))


def text(results: Results) -> str:
    """The file's content."""
    made = frame(results)
    return as_csv(made, FOR_PROGRAMS, {name: form for name, form in _FORMS.items() if name in made.columns})


def frame(results: Results) -> pandas.DataFrame:
    """`COLUMNS` of each submission, and where the task is detection `OF_DETECTORS`.

    Of one on which the harness failed, only the id, the status and the finding.
    """
    import pandas

    scores = OF_DETECTORS if results.assignment.task == "detection" else ()

    def whole(one: SubmissionResult) -> tuple[object, ...]:
        return (*row(one), *(_of_detector(one) if scores else ()))

    def lost(one: SubmissionResult, found: Defect) -> tuple[object, ...]:
        told = (one.id, None, None, None, None, "needs-review", found.finding.code)
        return (*told, *[None] * (len(COLUMNS) + len(scores) - len(told)))

    rows = for_each("its row of grades.csv", results.submissions, whole, lost)
    made = pandas.DataFrame.from_records(rows, columns=[*COLUMNS, *scores])
    counts = {"late_days": "Int64", "tries": "Int64"}
    return made.astype(
        {"points": float, "max_points": float, "percent": float, **dict.fromkeys(scores, float), **counts}
    )


def _of_detector(one: SubmissionResult) -> tuple[float | None, ...]:
    """AP50, both ends of its interval, and its difference to the reference's."""
    figure = headline(one)
    if figure is None:
        return (None,) * len(OF_DETECTORS)
    return figure.value, *figure.interval, figure.difference


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
