"""`harness mark`: a person's points, one mark at a time or a table of them."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.table import Table

from harness.boundary.screen import Screen, say, visible
from harness.cli.options import PATH
from harness.errors import UsageError
from harness.gradebook.database import Gradebook
from harness.gradebook.marks import enter, enter_all, every_mark, graded, latest_marks
from harness.gradebook.opening import existing_gradebook

_AGAIN = "Run `harness grade` again to publish it."


@click.command()
@click.argument("out", type=PATH)
@click.argument("submission", required=False)
@click.argument("criterion", required=False)
@click.argument("points", type=float, required=False)
@click.option("--reason", help="One sentence for the student.")
@click.option("--marker", default=lambda: os.environ.get("USER", ""), help="Who marks [default: $USER].")
@click.option("--replace", is_flag=True, help="Also where somebody else has marked it since the last run.")
@click.option("--from", "file", type=PATH, help="The table of `harness answers` with points: all of it, or nothing.")
@click.option("--dry-run", is_flag=True, help="With --from: only show what it changes.")
@click.option("--retitle", nargs=2, metavar="OLD NEW", help="Marks for criterion OLD count for NEW; for none if ''.")
def mark(
    out: Path,
    submission: str | None,
    criterion: str | None,
    points: float | None,
    reason: str | None,
    marker: str,
    replace: bool,
    file: Path | None,
    dry_run: bool,
    retitle: tuple[str, str] | None,
) -> int:
    """Enter a person's mark for a criterion; the next `grade` to OUT takes it in.

    It is for the submission as it was graded last: for its name, and for what was handed in. Where either is another
    when it is graded again, the criterion waits for a person, with the old mark shown.
    """
    one = (submission, criterion, points, reason)
    if sum((file is not None, retitle is not None, any(part is not None for part in one))) != 1:
        raise UsageError("which marks?", "give SUBMISSION CRITERION POINTS --reason TEXT, or --from FILE, or --retitle")
    book = existing_gradebook(out)
    if file is not None:
        return _from_file(book, file, marker, dry_run=dry_run)
    if dry_run:
        raise UsageError("--dry-run shows what a file changes", "give --from FILE, or leave it out")
    if retitle is not None:
        return _retitle(book, *retitle, marker)
    if submission is None or criterion is None or points is None or reason is None:
        raise UsageError("a mark has four parts", "give SUBMISSION CRITERION POINTS --reason TEXT")
    enter(book, submission, criterion, points, reason, marker, replaces_newer=replace)
    say(f"{visible(submission)}: {visible(criterion)} {points:g}. {_AGAIN}")
    return 0


def _from_file(book: Gradebook, file: Path, marker: str, *, dry_run: bool) -> int:
    from harness.report.answers.returned import changes

    results = graded(book)
    found = changes(file, results, every_mark(book, results), latest_marks(book, results), marker)
    shown = Table(box=None, pad_edge=False)
    for column in ("submission", "criterion", "before", "after", "comment"):
        shown.add_column(column, overflow="fold")
    for change in found:
        before = "–" if change.before is None else f"{change.before.points:g}"
        entry = change.entry
        shown.add_row(entry.whose.id, entry.criterion, before, f"{entry.mark.points:g}", entry.mark.reason)
    if found:
        Screen().print(shown)
    if dry_run:
        say(f"{_marks(len(found))} would be entered.")
        return 0
    enter_all(book, [change.entry for change in found])
    say(f"{_marks(len(found))} entered. {_AGAIN}" if found else "Nothing in the file is new.")
    return 0


def _marks(count: int) -> str:
    return f"{count} mark" if count == 1 else f"{count} marks"


def _retitle(book: Gradebook, old: str, new: str, marker: str) -> int:
    titles = book.marked_titles()
    if old not in titles:
        raise UsageError(f"nobody gave marks for {old!r}", f"marks were given for: {', '.join(titles) or 'nothing'}")
    if new in titles:
        raise UsageError(f"people gave marks for {new!r}, too", "mark those again that should count")
    book.retitle(old, new, marker)
    count = f"{titles[old]} submission{'' if titles[old] == 1 else 's'}"
    say(f"{count}: marks for {old!r} count for {new!r} now." if new else f"{old!r} counts no more.")
    return 0
