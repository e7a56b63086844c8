"""`harness validate`: what is wrong or doubtful with an assignment, before a class waits for it."""

from __future__ import annotations

from pathlib import Path

import click

from harness import sandbox
from harness.boundary.screen import Screen, say, say_json
from harness.cli.options import PATH, as_json_option
from harness.cli.sandbox_options import handins_sandbox_option
from harness.cli.terminal import progress_on
from harness.errors import NoSandbox
from harness.grading.validation import Validation
from harness.grading.validation import validate as all_verdicts

_MARK = {"error": "ERROR", "doubt": "doubt", "fine": "fine "}


@click.command()
@click.argument("file", metavar="[ASSIGNMENT]", type=PATH, default=Path("assignment.toml"))
@handins_sandbox_option
@as_json_option
def validate(file: Path, sandbox_name: sandbox.EngineName, as_json: bool) -> int:
    """Say what is wrong or doubtful with an assignment, before a class waits for it.

    ASSIGNMENT is the file or its folder [default: assignment.toml]. An error is what `harness grade` would refuse or
    grade wrongly; the exit status is then 2. Doubts alone end with 0.
    """
    file = file / "assignment.toml" if file.is_dir() else file
    with progress_on(Screen(stderr=True)) as progress:
        engine: sandbox.Sandbox | NoSandbox
        try:
            engine = sandbox.choose(sandbox_name).sandbox
        except NoSandbox as none:
            engine = none
        found = all_verdicts(file, engine, progress)
    if as_json:
        say_json(found.model_dump_json())
    else:
        _show(found)
    return 2 if found.of("error") else 0


def _show(found: Validation) -> None:
    """Errors first, so that they stand where reading begins; then doubts, then what is fine."""
    for level, mark in _MARK.items():
        for verdict in (one for one in found.verdicts if one.level == level):
            say(f"{mark}  {verdict}")
    errors, doubts = len(found.of("error")), len(found.of("doubt"))
    counts = f"{errors} error{'' if errors == 1 else 's'}, {doubts} doubt{'' if doubts == 1 else 's'}"
    say(f"{counts}: {'correct the errors before grading' if errors else 'it can be graded'}")
