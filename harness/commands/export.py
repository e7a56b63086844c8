"""`harness export`: the marks of a run in the form that an LMS, or a build server, imports."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.options import PATH
from harness.errors import UsageError
from harness.export.formats import files_of, formats
from harness.export.whole_file import write_whole
from harness.gradebook import NAME, Gradebook


@click.command()
@click.argument("out", type=PATH)
@click.option("--format", "name", type=click.Choice(list(formats())), required=True, help="Who is to read it.")
@click.option("--to", "folder", type=PATH, help="Folder to write to [default: OUT].")
@click.option("--column", default="", help="The assignment as the LMS calls it [default: its title].")
def export(out: Path, name: str, folder: Path | None, column: str) -> int:
    """Write the marks of the run in OUT as FORMAT.

    For Canvas, give the column as its gradebook export has it: --column "Transfer learning (123456)".
    """
    results = Gradebook.existing(out / NAME).latest()
    if results is None:
        raise UsageError(f"{out}: nothing was graded there yet", "run `harness grade` first")
    target = folder or out
    if not target.is_dir():
        raise UsageError(f"{target}: no such folder", "make it, or leave --to out")
    files, left_out = files_of(name, results, column or results.assignment.title)
    for file, text in files.items():
        write_whole(target / file, text)
        click.echo(target / file)
    for id, found in left_out.items():
        click.echo(f"{id}: left out. {found.finding.message}", err=True)
    return 1 if left_out else 0
