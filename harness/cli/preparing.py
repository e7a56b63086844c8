"""Asks before weights are fetched and environments are built for a class: `harness grade --prepare`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from harness.boundary.screen import Screen, confirmed, say
from harness.cli.terminal import progress_on
from harness.errors import UsageError
from harness.grading.preparation import lacking
from harness.grading.preparation import prepare as fetch_and_build
from harness.inputs import weights
from harness.inputs.assignment import Assignment
from harness.sandbox import Sandbox

_SHOWN = 3  # submissions that a line names


def prepare_class(submissions: Path, assignment: Assignment, sandbox: Sandbox, *, ask: bool) -> None:
    """Say what is lacking, ask unless told not to, and get it. Nothing is fetched where the answer is no.

    Raises `MachineError` for what cannot be fetched or built.
    """
    what = lacking(submissions, assignment, sandbox)
    if not what:
        say("Nothing to prepare: weights and environments are here.", err=True)
        return
    for name, ids in what.weights.items():
        size = sum(int(entry.bytes or 0) for entry in weights.named(name)) / 1e6
        say(f"fetch {name}{f' ({size:.0f} MB)' if size else ''}: {_needed_by(ids)}", err=True)
    for software, ids in what.software:
        say(f"build {software.name} for {sandbox.name} ({software.build_command}): {_needed_by(ids)}", err=True)
    if ask and not _confirmed():
        say("Nothing was fetched or built: what needs it will wait.", err=True)
        return
    with progress_on(Screen(stderr=True)) as progress:
        fetch_and_build(what, sandbox.name, progress.say)


def _confirmed() -> bool:
    """The answer. Raises `UsageError` where nobody can answer."""
    try:
        return confirmed("Fetch and build these now?")
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise UsageError("--prepare asks, and there is no terminal to answer at", "add --yes") from None


def _needed_by(ids: Sequence[str]) -> str:
    if not ids:
        return "named by the assignment"
    more = len(ids) - _SHOWN
    return f"needed by {', '.join(ids[:_SHOWN])}" + (f" and {more} more" if more > 0 else "")
