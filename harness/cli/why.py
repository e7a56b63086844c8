"""`harness why`: which stage would run again, and what changed."""

from __future__ import annotations

from pathlib import Path

import click

from harness.boundary.screen import Screen, say, visible
from harness.cli.assignment_file import read_assignment
from harness.cli.options import PATH
from harness.cli.sandbox_options import handins_sandbox_option
from harness.inputs.engine_names import EngineName

_ASKERS = {
    "submission": "",
    "reference": " for a reference or the course's images",
    "beside": " for its rerun's model, or to compare",
}


@click.command()
@click.argument("submission")
@click.option("--submissions", type=PATH, required=True, help="The folder that was graded.")
@click.option("--assignment", "file", type=PATH, required=True, help="The assignment.toml.")
@click.option("--out", type=PATH, required=True, help="The folder with the reports of the last run.")
@handins_sandbox_option
def why(submission: str, submissions: Path, file: Path, out: Path, sandbox_name: EngineName) -> int:
    """Say which stage of SUBMISSION the next grade would run again, and which of its inputs changed.

    SUBMISSION is an id of the run in OUT. Nothing is run. Later stages read what that one finds, so they are not named.
    """
    from harness import sandbox
    from harness.cli.terminal import progress_on
    from harness.grading.why import why as asked

    assignment = read_assignment(file)
    chosen = sandbox.choose(sandbox_name)
    with progress_on(Screen(stderr=True)) as progress:
        found = asked(submissions, assignment, out, submission, chosen.sandbox, progress)
    if found is None:
        say(f"{visible(submission)}: nothing would run again")
        return 0
    say(f"{visible(submission)}: {found.stage} would run again{_ASKERS[found.asker]}")
    if found.asker != "submission":
        return 0
    if found.changes is None:
        say("  the last run did not do it")
    elif not found.changes:
        say("  its result is not kept any more")
    for change in found.changes or ():
        shown = f": {visible(change.before)}, now {visible(change.now)}" if change.now else " changed"
        say(f"  {visible(change.what)}{shown}")
    return 0
