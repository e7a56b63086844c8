"""`harness weights`: pre-trained weights and image sets that submissions get without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.table import Table

from harness.boundary.screen import Screen, say, say_json
from harness.cli.options import PATH, as_json_option
from harness.cli.terminal import progress_on
from harness.errors import MachineError, UsageError
from harness.inputs import weights as known
from harness.inputs.submissions import collect
from harness.inputs.weights.needed import needed_by

_SHOWN = 3  # submissions that a line names


def _completed(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """Names of weights and image sets that begin with `begun`, for completion in the shell."""
    names = {name for entry in known.list_weights() for name in (entry.name, entry.part_of) if name}
    return sorted(name for name in names if name.startswith(begun))


@click.group("weights")
def weights() -> None:
    """Pre-trained weights and image sets: fetched once, then given to submissions without a network."""


@weights.command("list")
@click.argument("word", default="")
@as_json_option
def list_(word: str, as_json: bool) -> int:
    """List what is known, or what has WORD in its name, and whether it is here."""
    entries = [entry for entry in known.list_weights() if word.lower() in entry.name]
    if as_json:
        say_json(json.dumps([entry.as_dict() | {"here": known.path(entry.name) is not None} for entry in entries]))
        return 0
    table = Table("name", "here", "MB", "licence", "file")
    for entry in entries:
        other = known.standing_in(entry.name)
        here = "yes" if known.path(entry.name) else f"no, but {other.name} stands in" if other else "no"
        table.add_row(entry.name, here, entry.megabytes, entry.licence, entry.file)
    Screen().print(table)
    return 0


@weights.command("fetch")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=_completed)
@click.option(
    "--needed-by", "submissions", type=PATH, help="Fetch what the notebooks in this folder or download ask for."
)
def fetch(names: tuple[str, ...], submissions: Path | None) -> int:
    """Fetch each NAME from the first source that has it, and check its hash.

    NAME is an entry of `harness weights list`, or an image set of several files. With --needed-by, notebooks are read,
    never run; what they ask for that is not known is named.
    """
    wanted = {entry.name: entry for name in names for entry in known.named(name)}
    with progress_on(Screen(stderr=True)) as progress:
        if submissions is not None:
            wanted |= {entry.name: entry for name in _needed(submissions, progress.say) for entry in known.named(name)}
        elif not names:
            raise UsageError(
                "nothing to fetch", "name weights (`harness weights list`), or give --needed-by SUBMISSIONS"
            )
        failed = []
        for name in wanted:
            try:
                say(known.fetch(name, progress.say))
            except MachineError as error:
                failed.append(error)
    if failed:
        raise MachineError("\n".join(error.message for error in failed), "\n      ".join(error.do for error in failed))
    return 0


def _needed(submissions: Path, tell: Callable[[str], None]) -> list[str]:
    """The names that the notebooks need. Reports who needs what, and what is not known."""
    with TemporaryDirectory(prefix="harness-weights-") as workdir:
        needed = needed_by(collect(submissions, Path(workdir)))
    for name, ids in needed.names.items():
        tell(f"{name}: needed by {_some(ids)}")
    for ask, ids in needed.unknown.items():
        tell(f"{ask}: not known here, so not fetched; asked for by {_some(ids)}")
    if not needed.names:
        tell("no notebook asks for weights or images that are known here")
    return list(needed.names)


def _some(ids: list[str]) -> str:
    more = len(ids) - _SHOWN
    return ", ".join(ids[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


@weights.command("add")
@click.argument("name", shell_complete=_completed)
@click.argument("file", type=PATH)
def add(name: str, file: Path) -> int:
    """Take the weights NAME from FILE, and check their hash."""
    say(known.add(name, file))
    return 0
