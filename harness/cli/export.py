"""`harness export`: the marks of a run in the form that an LMS, or a build server, imports; the students' pages."""

from __future__ import annotations

from pathlib import Path

import click

from harness.boundary.one_by_one import Defect
from harness.boundary.screen import Screen, say, visible
from harness.cli.options import PATH
from harness.cli.terminal import print_frame
from harness.errors import UsageError, cannot_write
from harness.files.private import private_folder
from harness.files.whole_file import write_whole
from harness.gradebook.opening import existing_gradebook
from harness.gradebook.results import Results
from harness.report import STUDENTS
from harness.report.export.feedback import write_feedback
from harness.report.export.formats import files_of, formats, why_not
from harness.report.roster.joined import Joined, joined
from harness.report.roster.people import FILE, people


@click.command()
@click.argument("out", type=PATH)
@click.option("--format", "name", type=click.Choice(list(formats())), help="Who is to read the marks.")
@click.option("--to", "folder", type=PATH, help="Folder to write the marks to, made if it is not there [default: OUT].")
@click.option("--column", default="", help="The assignment as the LMS calls it [default: its title].")
@click.option(
    "--roster", type=PATH, help=f"Who is in the course: a row for each [default: OUT/{FILE}, if it is there]."
)
@click.option("--dry-run", is_flag=True, help="Only show what changes in the gradebook that is given as --roster.")
@click.option("--feedback", type=PATH, help="A new folder for the pages that may be given to students.")
def export(
    out: Path,
    name: str | None,
    folder: Path | None,
    column: str,
    roster: Path | None,
    dry_run: bool,
    feedback: Path | None,
) -> int:
    """Write the marks of the run in OUT as FORMAT, the pages for students to FEEDBACK, or both.

    With --roster, a list of your own or the LMS's downloaded gradebook, each person has a row: each member of a group,
    and who handed in nothing. For Canvas, give the column as its gradebook has it: --column "Transfer learning
    (123456)". Exit status 1 where nothing was written, or something failed.
    """
    if name is None and feedback is None:
        raise UsageError("nothing to export", "give --format, for the marks, or --feedback, for the students' pages")
    results = existing_gradebook(out).latest()
    if results is None:
        raise UsageError(f"{out}: nothing was graded there yet", "run `harness grade` first")
    if roster is None and (out / FILE).is_file():
        roster = out / FILE
    people_and_rows = joined(results, people(roster), name or "") if roster is not None else None
    if dry_run:
        if people_and_rows is None or name is None:
            raise UsageError("--dry-run compares with a gradebook", "give --format, and the gradebook as --roster FILE")
        return _dry_run(people_and_rows, column or results.assignment.title)
    failed = _marks(results, people_and_rows, name, folder or out, column) if name is not None else False
    if feedback is not None:
        for file in write_feedback(results, out / STUDENTS, feedback):
            say(file)
    return 1 if failed else 0


def _marks(results: Results, roster: Joined | None, name: str, target: Path, column: str) -> bool:
    """Write the files and say what they hold; whether nothing was written, or something failed."""
    rows = roster.results if roster else results
    files, defects = files_of(name, rows, column or _column_of(roster, results))
    with cannot_write(target):
        private_folder(target) if not target.is_dir() else target
    for file, text in files.items():
        write_whole(target / file, text)
        say(target / file)
    refused = {**why_not(name, rows), **{id: f"left out. {found.finding.message}" for id, found in defects.items()}}
    count = len(rows.submissions) - len(refused)
    _say_counts(rows, roster, refused, count, defects)
    return bool(defects) or count == 0


def _column_of(roster: Joined | None, results: Results) -> str:
    """The assignment's column in the LMS's own gradebook, if that is the roster; else its title."""
    from harness.report.roster.compared import grade_column

    title = results.assignment.title
    first = next(iter(roster.people.values()), None) if roster else None
    found = grade_column(list(first.cells), title) if first else None
    return found if found and found.casefold() not in ("grade", f"{title} points grade".casefold()) else title


def _say_counts(
    rows: Results, roster: Joined | None, refused: dict[str, str], count: int, defects: dict[str, Defect]
) -> None:
    for id, why in refused.items():
        say(f"{id}: {why}", err=True)
    waiting = sum(row.is_open for row in rows.submissions if row.id not in refused)
    if roster:
        for stranger in roster.strangers:
            say(
                f"{stranger.id} ({visible(stranger.student)}): left out, because nobody on the roster handed it in",
                err=True,
            )
        for person, ids in roster.contested:
            say(f"{visible(person.name)}: left out, because any of {', '.join(ids)} may be theirs", err=True)
        missing = len(roster.missing)
        say(f"{missing} on the roster handed in nothing: no points", err=True)
        waiting -= missing
    else:
        several = sum(len(row.members) > 1 for row in rows.submissions)
        if several:
            say(f"{several} groups have one row each: with --roster FILE each member has one", err=True)
    out = len(refused) + (len(roster.strangers) + len(roster.contested) if roster else 0)
    say(f"{count} rows written, {max(waiting, 0)} of them without points because they wait; {out} left out", err=True)


def _dry_run(roster: Joined, title: str) -> int:
    from harness.report.roster.compared import compared, grade_column

    first = next(iter(roster.people.values()))
    column = grade_column(list(first.cells), title)
    frame = compared(roster.results, roster.people, column)
    say(f"Compared with the column {column!r}." if column else f"The gradebook has no column for {title!r} yet.")
    print_frame(frame, Screen())
    say(f"{len(frame)} grades would change; nothing was written.")
    return 0
