"""`harness check`: what grading would find in a student's folder, as far as it can be known there.

What takes long to import is imported when the first line is on the screen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from harness.boundary.screen import Screen, say, say_json, visible
from harness.cli.options import PATH, as_json_option, force_option
from harness.cli.sandbox_options import sandbox_option
from harness.inputs.engine_names import EngineName

if TYPE_CHECKING:
    from harness.sandbox import Chosen

_Service = Literal["auto", "github", "gitlab", "none"]  # as in `check_output`


@click.command()
@click.argument("folder", metavar="[DIR]", type=PATH, default=Path())
@click.option(
    "--assignment", "file", type=PATH, help="The assignment.toml, or your course's package [default: in DIR or above]."
)
@click.option("--zip/--no-zip", "keep_zip", default=True, help="Whether to write DIR/handin.zip.  [default: zip]")
@click.option("--junit", type=PATH, help="Write the result as JUnit XML to this file.")
@click.option(
    "--annotations",
    type=click.Choice(get_args(_Service)),
    default="auto",
    show_default=True,
    help="Mark what to mend in the job of this service; 'auto' finds out which one runs it.",
)
@sandbox_option("Where your code runs; with 'auto', directly on this machine where no sandbox works.")
@force_option
@as_json_option
def check(
    folder: Path,
    file: Path | None,
    keep_zip: bool,
    junit: Path | None,
    annotations: _Service,
    sandbox_name: EngineName,
    force: bool,
    as_json: bool,
) -> int:
    """Check what you are about to hand in: the notebook, model and data set in the folder DIR.

    Runs it as grading does, on the images that you have, and says of each step whether it is fine, what to mend, and
    what cannot be known here; which points to expect; and writes DIR/handin.zip to hand in. Ends with 1 when there is
    something to mend.
    """
    say(f"Checking {visible(str(folder.absolute()))} ...", err=True)
    from harness.cli import check_output
    from harness.grading.check.run import Request, read_public
    from harness.grading.check.run import check as run_check

    public = read_public(file, folder)
    screen = Screen(stderr=True)
    chosen = _engine(sandbox_name)
    screen.print(f"Assignment: {visible(public.assignment.title)}")
    screen.print(f"Sandbox: {chosen.sandbox.name} ({visible(chosen.reason)})", soft_wrap=True)
    found = run_check(Request(folder, public, chosen, keep_zip, force), check_output.Steps(screen))
    service = check_output.job_of(annotations)
    if as_json:
        say_json(found.model_dump_json(indent=1, by_alias=True))
    else:
        with check_output.no_commands(service):
            check_output.show(found, Screen())
    if junit is not None:
        check_output.write_junit(found, junit)
    check_output.annotate(found, service, err=as_json)
    return 1 if found.to_mend else 0


def _engine(name: EngineName) -> Chosen:
    """The engine; with `auto`, none where no sandbox works, since the code is the student's own."""
    from harness import sandbox
    from harness.errors import NoSandbox

    if name != "auto":
        return sandbox.choose(name)
    try:
        return sandbox.choose("auto")
    except NoSandbox:
        chosen = sandbox.choose("none")
        return sandbox.Chosen(chosen.sandbox, "no sandbox works here, so your own code runs directly on this machine")
