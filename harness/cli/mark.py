"""`harness mark`: a person's points."""

from __future__ import annotations

import os
from pathlib import Path

import click

from harness.boundary.screen import say, visible
from harness.cli.options import PATH
from harness.gradebook.database import NAME, Gradebook
from harness.gradebook.marks import enter


@click.command()
@click.argument("out", type=PATH)
@click.argument("submission")
@click.argument("criterion")
@click.argument("points", type=float)
@click.option("--reason", required=True, help="One sentence for the student.")
@click.option("--marker", default=lambda: os.environ.get("USER", ""), help="Who marks [default: $USER].")
def mark(out: Path, submission: str, criterion: str, points: float, reason: str, marker: str) -> int:
    """Enter a person's mark for a criterion; the next `grade` to OUT takes it in.

    It is for the submission as it was graded last: for its name, and for what was handed in. Where either is another
    when it is graded again, the criterion waits for a person, with the old mark shown.
    """
    enter(Gradebook.existing(out / NAME), submission, criterion, points, reason, marker)
    say(f"{visible(submission)}: {visible(criterion)} {points:g}. Run `harness grade` again to publish it.")
    return 0
