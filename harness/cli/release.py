"""`harness release`: what students get of an assignment."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness import sandbox
from harness.boundary.screen import Screen, say, say_json
from harness.cli.assignment_file import read_assignment
from harness.cli.options import PATH, as_json_option
from harness.cli.sandbox_options import handins_sandbox_option
from harness.cli.terminal import progress_on
from harness.grading.release.gradescope import release_autograder
from harness.grading.release.package import Released
from harness.grading.release.package import release as write_release


@click.command()
@click.argument("file", metavar="ASSIGNMENT", type=PATH)
@click.option("--out", type=PATH, required=True, help="A new folder for the package.")
@click.option(
    "--to",
    type=click.Choice(["folder", "gradescope"]),
    default="folder",
    show_default=True,
    help="For students as a folder, or for Gradescope as autograder.zip, which checks what is uploaded.",
)
@handins_sandbox_option
@as_json_option
def release(file: Path, out: Path, to: str, sandbox_name: sandbox.EngineName, as_json: bool) -> int:
    """Write what students get of an assignment, and nothing that only its instructor has.

    That is: what ASSIGNMENT asks in words, public images, the reference's scores in place of its code and weights, a
    notebook to start from, and jobs that check. Nothing is sent anywhere.
    """
    assignment = read_assignment(file)
    with progress_on(Screen(stderr=True)) as progress:
        write = release_autograder if to == "gradescope" else write_release
        released = write(assignment, out, sandbox.choose(sandbox_name).sandbox, progress)
    if as_json:
        say_json(json.dumps(_as_json(released)))
        return 0
    for name in released.files:
        if not name.startswith("images/"):
            say(out / name)
    if released.images and to == "folder":
        say(f"{out / 'images'}: {released.images} images")
    if released.reference_accuracy is not None:
        say(f"The reference's accuracy on them: {released.reference_accuracy:.3f}")
    if released.reference_ap50 is not None:
        say(f"The reference's AP50 on them: {released.reference_ap50:.3f}")
    return 0


def _as_json(released: Released) -> dict[str, object]:
    return {
        "folder": str(released.folder),
        "files": released.files,
        "images": released.images,
        "reference_accuracy": released.reference_accuracy,
        "reference_ap50": released.reference_ap50,
    }
