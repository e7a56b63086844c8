"""`harness weights`: pre-trained weights that submissions get without a network."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.table import Table

from harness.boundary.screen import Screen, say, say_json
from harness.cli.options import PATH, as_json_option
from harness.cli.terminal import progress_on
from harness.inputs import weights as known


@click.group("weights")
def weights() -> None:
    """Pre-trained weights: fetched once, then given to submissions without a network."""


@weights.command("list")
@as_json_option
def list_(as_json: bool) -> int:
    """List the weights that are known, and whether they are here."""
    entries = known.list_weights()
    if as_json:
        say_json(json.dumps([entry.as_dict() | {"here": known.path(entry.name) is not None} for entry in entries]))
        return 0
    table = Table("name", "here", "MB", "licence", "file")
    for entry in entries:
        other = known.standing_in(entry.name)
        here = "yes" if known.path(entry.name) else f"no, but {other.name} stands in" if other else "no"
        table.add_row(entry.name, here, f"{entry.bytes / 1e6:.1f}", entry.licence, entry.file)
    Screen().print(table)
    return 0


@weights.command("fetch")
@click.argument("name")
def fetch(name: str) -> int:
    """Fetch the weights NAME from the first source that has them, and check their hash."""
    with progress_on(Screen(stderr=True)) as progress:
        say(known.fetch(name, progress.say))
    return 0


@weights.command("add")
@click.argument("name")
@click.argument("file", type=PATH)
def add(name: str, file: Path) -> int:
    """Take the weights NAME from FILE, and check their hash."""
    say(known.add(name, file))
    return 0
