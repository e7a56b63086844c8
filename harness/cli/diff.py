"""`harness diff`: whose grade differs between two runs."""

from __future__ import annotations

import re
from pathlib import Path

import click
from pydantic import ValidationError

from harness.boundary.screen import Screen, say
from harness.cli.options import PATH
from harness.cli.terminal import print_frame
from harness.errors import UsageError
from harness.gradebook.history import PastGrade, grades_of
from harness.gradebook.opening import existing_gradebook
from harness.gradebook.results import Results


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--csv", "csv_file", type=PATH, help="Write the table as CSV, too.")
def diff(before: str, after: str, csv_file: Path | None) -> int:
    """Show whose grade differs between two runs, by what, and why.

    BEFORE and AFTER are each the --out of a `harness grade`, for its latest run; OUT@1, for its first run; or a
    results.json. Exit status 1 where a grade differs.
    """
    from harness.report.tables.changes import changes
    from harness.report.tables.writing import write_csv

    frame = changes(_grades(before), _grades(after))
    if csv_file is not None:
        write_csv(frame, csv_file)
    print_frame(frame, Screen())
    say(f"{len(frame)} grades differ." if len(frame) != 1 else "1 grade differs.")
    return 1 if len(frame) else 0


def _grades(run: str) -> list[PastGrade]:
    if Path(run).is_file():
        try:
            return grades_of(Results.model_validate_json(Path(run).read_bytes()))
        except ValidationError as error:
            raise UsageError(f"{run}: is no results.json of this version", "give one, or an output folder") from error
    folder, at, number = (run, "", "") if Path(run).is_dir() else run.rpartition("@")
    book = existing_gradebook(Path(folder or run))
    runs = book.runs()
    if not runs:
        raise UsageError(f"{folder}: nothing was graded there yet", "run `harness grade` first")
    if at and not (re.fullmatch("[0-9]{1,9}", number) and 1 <= int(number) <= len(runs)):
        raise UsageError(f"{run}: there is no run {number!r}", f"its runs are 1 to {len(runs)}")
    return book.grades(runs[int(number) - 1] if at else runs[-1])
