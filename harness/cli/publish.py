"""`harness publish`: the students' pages, as files that go to them, and a record of it."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import click

from harness.boundary.screen import say, visible
from harness.cli.options import PATH
from harness.errors import UsageError
from harness.gradebook.database import Gradebook
from harness.gradebook.history import grade_of
from harness.gradebook.opening import existing_gradebook
from harness.gradebook.results import Results
from harness.report import STUDENTS
from harness.report.export.feedback import write_feedback
from harness.report.export.publishing import FORMS, publication, to_be_told, write_archive

_NEAR = 0.8  # of 1, as `difflib` measures: `canvass` is one of the forms misspelt, `for-canvas` a folder


@click.command()
@click.argument("out", type=PATH)
@click.option("--to", "target", help=f"A new folder, or a form of archive: {', '.join(FORMS)}.")
@click.option("--as", "file", type=PATH, help="The archive to write [default: OUT/feedback-FORM.zip].")
@click.option("--unfinished", is_flag=True, help="Also pages with marks that a person still has to give.")
@click.option("--changed", is_flag=True, help="Only say whose published marks are not those of the run any more.")
@click.option("--publisher", default=lambda: os.environ.get("USER", ""), help="Who publishes [default: $USER].")
def publish(out: Path, target: str | None, file: Path | None, unfinished: bool, changed: bool, publisher: str) -> int:
    """Give the students of the run in OUT their pages, and keep what was given.

    canvas, moodle and brightspace make an archive with names by which that LMS finds people; zip one with ids.
    Nothing is sent anywhere. Later runs are compared with what was given, so that it is known who must be told.
    """
    book = existing_gradebook(out)
    results = book.latest()
    if results is None:
        raise UsageError(f"{out}: nothing was graded there yet", "run `harness grade` first")
    if changed:
        return _say_changed(book, results)
    if not target:
        raise UsageError("to where?", f"give --to FOLDER, or --to {', '.join(FORMS)}; or --changed")
    form = next((form for form in FORMS if form == target), None)
    if form is None and not Path(target).exists() and (near := difflib.get_close_matches(target, FORMS, 1, _NEAR)):
        raise UsageError(f"there is no form {target!r}", f"did you mean {near[0]!r}? For a folder: ./{target}")
    if file is not None and form is None:
        raise UsageError("--as names an archive", f"give --to {', '.join(FORMS)}, or leave it out")
    _say_changed(book, results)
    found = publication(results, out / STUDENTS, form or "zip", also_open=unfinished)
    for id, why in found.kept_back.items():
        say(f"{id}: kept back, {why}", err=True)
    if found.rows and form is None:
        write_feedback(results, out / STUDENTS, Path(target), found.rows)
        say(target)
    elif found.rows:
        archive = file or out / f"feedback-{form}.zip"
        write_archive(found.files, archive)
        say(archive)
    if found.rows:
        book.publish(results.run.finished, [grade_of(row) for row in found.rows], form or "folder", publisher)
    say(f"{len(found.rows)} pages written, {len(found.kept_back)} kept back", err=True)
    return 0 if found.rows else 1


def _say_changed(book: Gradebook, results: Results) -> int:
    """Say who reads other marks than those that are true now; 1 where somebody does."""
    changed = to_be_told(results, [grade for _, _, _, grade in book.published()])
    for row, before in changed:
        say(
            f"{row.id} ({visible(row.student)}): published {before.points:g} points, now {row.points:g}: has to be told"
        )
    return 1 if changed else 0
