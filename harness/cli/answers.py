"""`harness answers`: what people have to mark, as a table."""

from __future__ import annotations

from pathlib import Path

import click

from harness.boundary.screen import say
from harness.cli.options import PATH
from harness.errors import UsageError
from harness.gradebook.marks import latest_marks
from harness.gradebook.opening import existing_gradebook
from harness.report.answers.table import table
from harness.report.tables.writing import write_csv, write_xlsx


@click.command()
@click.argument("out", type=PATH)
@click.option("--csv", "csv_file", type=PATH, help="Write the table as CSV.")
@click.option("--xlsx", "xlsx_file", type=PATH, help="Write it for Excel, with wrapped texts.")
def answers(out: Path, csv_file: Path | None, xlsx_file: Path | None) -> int:
    """Write every open answer of the run in OUT as a table to mark in.

    A row for each submission and criterion that a person marks, with the answer, its number of words, and what was
    measured. Fill in `points` and `comment`, then: harness mark OUT --from FILE.
    """
    if csv_file is None and xlsx_file is None:
        raise UsageError("nowhere to write", "give --csv FILE or --xlsx FILE")
    book = existing_gradebook(out)
    results = book.latest()
    if results is None:
        raise UsageError(f"{out}: nothing was graded there yet", "run `harness grade` first")
    frame = table(results, latest_marks(book, results.submissions))
    for file in filter(None, (csv_file, xlsx_file)):
        if file is csv_file:
            write_csv(frame, file)
        else:
            write_xlsx(frame, file, "answers")
        say(file)
    waiting = int((frame["points"] == "").sum())
    say(f"{len(frame)} rows, {waiting} of them without points; then: harness mark {out} --from FILE", err=True)
    return 0 if len(frame) else 1
