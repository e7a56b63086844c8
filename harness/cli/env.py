"""`harness env`: the software that submissions run with."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from harness.boundary.screen import Screen, say, say_json
from harness.cli.options import as_json_option
from harness.cli.terminal import progress_on
from harness.errors import UsageError
from harness.sandbox import environments, named

_ERR = Screen(stderr=True)


@click.group()
def env() -> None:
    """The software that submissions run with."""


@env.command("build")
@click.argument("name", default="torch", metavar="[torch|keras|REQUIREMENTS.TXT]")
@click.option(
    "--engine",
    type=click.Choice(["all", "bubblewrap", "docker"]),
    default="all",
    show_default=True,
    help="For which sandbox engine; 'all' means those that are here.",
)
@click.option("--base", default="python:3.11-slim", show_default=True, help="For Docker: an image with Python 3.11.")
@click.option(
    "--wheels",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of wheels to install from, instead of downloading.",
)
@as_json_option
def build(name: str, engine: str, base: str, wheels: Path | None, as_json: bool) -> int:
    """Build an environment: a virtual environment for bubblewrap, an image for Docker.

    The name is `torch`, `keras` (TensorFlow, Keras 3 and Keras 2; about 2 GB), or a course's requirements.txt.
    What is built already is kept.
    """
    software = named(name)
    with progress_on(_ERR) as progress:
        built = environments.build(software, base, wheels, progress.say, engine=engine)
    if as_json:
        say_json(json.dumps([asdict(one) for one in built]))
    for one in built if not as_json else []:
        say(f"{one.name}: {one.place}")
    return 0


@env.command("list")
@as_json_option
def list_(as_json: bool) -> int:
    """List the environments that are built, and those that are not."""
    built = environments.every()
    missing = sorted({"torch", "keras"} - {one.name for one in built if one.current})
    if as_json:
        say_json(json.dumps([asdict(one) for one in built]))
        return 0
    table = Table("name", "lock", "as", "where", "used")
    for one in built:
        table.add_row(one.name, one.lock, one.kind, one.place, "yes" if one.current else "no, of another version")
    Screen(soft_wrap=True).print(table)
    for name in missing:
        say(f"{name} is not built: harness env build {name}")
    return 0


@env.command("remove")
@click.argument("name", metavar="NAME_OR_LOCK", required=False)
@click.option("--outdated", is_flag=True, help="All that another version of the harness built.")
def remove(name: str | None, outdated: bool) -> int:
    """Remove the environments with this name or lock; the harness' own installation stays."""
    if outdated == (name is not None):
        raise UsageError("give a name or a lock, or --outdated", "see harness env list")
    locks = [one.lock for one in environments.every() if not one.current] if outdated else [name or ""]
    for lock in dict.fromkeys(locks):
        for one in environments.remove(lock):
            say(f"removed {one.name}: {one.place}")
    return 0
