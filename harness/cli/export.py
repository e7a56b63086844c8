"""`harness export`: the marks of a run in the form that an LMS, or a build server, imports; the students' pages."""

from __future__ import annotations

from pathlib import Path

import click

from harness.boundary.one_by_one import Defect
from harness.boundary.screen import say
from harness.cli.options import PATH
from harness.errors import UsageError
from harness.files.whole_file import write_whole
from harness.gradebook.opening import existing_gradebook
from harness.gradebook.results import Results
from harness.report import STUDENTS
from harness.report.export import write_feedback
from harness.report.export.claims import left_out
from harness.report.export.formats import files_of, formats


@click.command()
@click.argument("out", type=PATH)
@click.option("--format", "name", type=click.Choice(list(formats())), help="Who is to read the marks.")
@click.option("--to", "folder", type=PATH, help="Folder to write the marks to [default: OUT].")
@click.option("--column", default="", help="The assignment as the LMS calls it [default: its title].")
@click.option("--feedback", type=PATH, help="A new folder for the pages that may be given to students.")
def export(out: Path, name: str | None, folder: Path | None, column: str, feedback: Path | None) -> int:
    """Write the marks of the run in OUT as FORMAT, the pages for students to FEEDBACK, or both.

    For Canvas, give the column as its gradebook export has it: --column "Transfer learning (123456)".
    """
    if name is None and feedback is None:
        raise UsageError("nothing to export", "give --format, for the marks, or --feedback, for the students' pages")
    results = existing_gradebook(out).latest()
    if results is None:
        raise UsageError(f"{out}: nothing was graded there yet", "run `harness grade` first")
    written: list[Path] = []
    defects: dict[str, Defect] = {}
    if name is not None:
        written, defects = _marks(results, name, folder or out, column)
    if feedback is not None:
        written += write_feedback(results, out / STUDENTS, feedback)
    for file in written:
        say(file)
    for row in left_out(results):
        say(f"{row.id}: goes to no LMS, because whose it is is not known; see its findings", err=True)
    for id, found in defects.items():
        say(f"{id}: left out. {found.finding.message}", err=True)
    return 1 if defects else 0


def _marks(results: Results, name: str, target: Path, column: str) -> tuple[list[Path], dict[str, Defect]]:
    if not target.is_dir():
        raise UsageError(f"{target}: no such folder", "make it, or leave --to out")
    files, defects = files_of(name, results, column or results.assignment.title)
    for file, text in files.items():
        write_whole(target / file, text)
    return [target / file for file in files], defects
