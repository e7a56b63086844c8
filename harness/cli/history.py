"""`harness history`: the story of a grade."""

from __future__ import annotations

from pathlib import Path

import click

from harness.boundary.screen import say, visible
from harness.cli.options import PATH
from harness.gradebook.marks import graded, the_one
from harness.gradebook.opening import existing_gradebook
from harness.gradebook.story import story


@click.command()
@click.argument("out", type=PATH)
@click.argument("student")
def history(out: Path, student: str) -> int:
    """Tell the story of STUDENT's grade: its runs, people's marks, what was published.

    STUDENT is a name or an id of the run in OUT.
    """
    book = existing_gradebook(out)
    results = graded(book)
    names = [one.id for one in results if one.student.strip().casefold() == student.strip().casefold()]
    found = the_one(names[0] if len(names) == 1 else student, results)
    say(f"{visible(found.student)} ({found.id})")
    for event in story(book, found):
        say(f"{event.at}  {visible(event.what)}")
        for line in event.why.splitlines():
            say(f"    {visible(line)}")
    return 0
