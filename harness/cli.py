"""The commands: each parses, calls one function, prints, and returns an exit status.

0 done; 1 done, and some hand-in failed to be graded; 2 wrong usage or a broken assignment; 3 this machine
cannot do it. `--json` prints the result as JSON on stdout; progress goes to stderr.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.table import Table

import harness
from harness import assignment as assignments
from harness import course, export, grading, reference, sandbox, weights
from harness.commands.bench import bench
from harness.commands.boards import boards, calibrate, predict
from harness.commands.env import env
from harness.commands.export import export as export_command
from harness.commands.intake import intake
from harness.commands.timing_checks import doctor_timing
from harness.errors import HarnessError, MachineError, UsageError
from harness.gradebook import Gradebook
from harness.review.marks import enter
from harness.schedule.local import default_jobs
from harness.scratch import own_temporary_folder
from harness.terminal import print_error, print_grades, progress_on

_EXISTING = click.Path(path_type=Path)
_OUT = Console()
_ERR = Console(stderr=True)

_engine = click.option(
    "--sandbox",
    "engine",
    type=click.Choice(["auto", "docker", "bubblewrap", "none"]),
    default="auto",
    show_default=True,
    help="Where hand-ins run. 'none' is for code that you trust: it protects from nothing.",
)
_runtime = click.option("--runtime", help="Docker's runtime for hand-ins, as the Engine knows it; 'runsc' is gVisor's.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
# Trouble of the machine wherever it strikes: no room, no permission, a disk that fails, too many open files.
_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE)
_force = click.option("--force", is_flag=True, help="Do everything again, whatever is kept.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(harness.__version__, prog_name="harness")
def cli() -> None:
    """Grade a transfer-learning assignment, and benchmark its models."""


@cli.command()
@click.argument("submissions", type=_EXISTING)
@click.option("--assignment", "file", type=_EXISTING, required=True, help="The assignment.toml.")
@click.option("--out", type=_EXISTING, required=True, help="Folder for the reports and grades.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Hand-ins at once [default: by cores and memory].")
@_engine
@_runtime
@_force
@_json
def grade(
    submissions: Path,
    file: Path,
    out: Path,
    jobs: int | None,
    engine: sandbox.EngineName,
    runtime: str | None,
    force: bool,
    as_json: bool,
) -> int:
    """Grade every hand-in in the folder SUBMISSIONS.

    Writes index.html, students/<id>/index.html, grades.csv and results.json. What an earlier run did for
    the same files is not done again.
    """
    assignment = assignments.load(file)
    with progress_on(_ERR) as progress:
        chosen = sandbox.choose(engine, runtime)
        progress.say(f"Sandbox: {chosen.sandbox.name} ({chosen.reason})")
        jobs = jobs or default_jobs(assignment.limits)
        request = grading.Request(submissions, assignment, out, chosen, jobs, force)
        results = grading.grade_all(request, progress)
    if as_json:
        click.echo(results.model_dump_json(by_alias=True))
    else:
        print_grades(results, _OUT)
        click.echo(f"Report: {(out / 'index.html').resolve()}")
    return 1 if any(row.status == "failed" for row in results.submissions) else 0


@cli.command()
@click.option("--timing", is_flag=True, help="Only what makes timing unfair here, and the commands that mend it.")
@_json
def doctor(timing: bool, as_json: bool) -> int:
    """Say which sandbox engines work here, which is the default, what each does not enforce, and what is unfair.

    Without --timing, --json lists the engines only.
    """
    if timing:
        return doctor_timing(as_json)
    reports = sandbox.diagnose()
    if as_json:
        click.echo(json.dumps([report.as_dict() for report in reports]))
    for report in reports if not as_json else []:
        state = "works" if report.works else "does not work"
        default = ", the default" if report.is_default else ""
        click.echo(f"{report.name} {report.version}: {state}{default}".replace(" :", ":"))
        for line in (report.detail, *(f"not enforced: {what}" for what in report.not_enforced)):
            if line:
                click.echo(f"  {line}")
    if not as_json:
        doctor_timing(as_json)
    return 0 if any(report.works and report.name != "none" for report in reports) else 3


@cli.group("reference")
def reference_group() -> None:
    """The reference solution that hand-ins are compared with."""


@reference_group.command("train")
@click.argument("file", metavar="ASSIGNMENT", type=_EXISTING)
@click.option("--out", type=_EXISTING, help="Folder for the model [default: baseline/ beside ASSIGNMENT].")
@_engine
@_force
@_json
def reference_train(file: Path, out: Path | None, engine: sandbox.EngineName, force: bool, as_json: bool) -> int:
    """Train the reference and score it; `grade` does this by itself where it is missing or outdated."""
    assignment = assignments.load(file)
    if not assignment.has_shared_set:
        raise UsageError(
            f"{file}: has no shared set: a reference is trained for each student's data set while grading",
            "run harness grade",
        )
    folder = out or assignment.file.parent / "baseline"
    with (
        progress_on(_ERR) as progress,
        course.prepared(assignment, sandbox.choose(engine).sandbox, progress, force=force) as ready,
    ):
        trained = ready.reference
        assert trained is not None
        reference.write(trained, ready.workplace, folder)
    low, high = trained.evaluation.accuracy_interval
    if as_json:
        click.echo(trained.model_dump_json())
    else:
        click.echo(
            f"{trained.backbone}: accuracy {trained.evaluation.accuracy:.3f} [{low:.3f}, {high:.3f}] on "
            f"{trained.evaluation.images} held-out images; trained in {trained.training_seconds:.0f} s\n{folder}"
        )
    return 0


@cli.group("weights")
def weights_group() -> None:
    """Pre-trained weights: fetched once, then given to hand-ins without a network."""


@weights_group.command("list")
@_json
def weights_list(as_json: bool) -> int:
    """List the weights that are known, and whether they are here."""
    entries = weights.list_weights()
    if as_json:
        click.echo(json.dumps([entry.as_dict() | {"here": weights.path(entry.name) is not None} for entry in entries]))
        return 0
    table = Table("name", "here", "MB", "licence", "file")
    for entry in entries:
        other = weights.standing_in(entry.name)
        here = "yes" if weights.path(entry.name) else f"no, but {other.name} stands in" if other else "no"
        table.add_row(entry.name, here, f"{entry.bytes / 1e6:.1f}", entry.licence, entry.file)
    _OUT.print(table)
    return 0


@weights_group.command("fetch")
@click.argument("name")
def weights_fetch(name: str) -> int:
    """Fetch the weights NAME from the first source that has them, and check their hash."""
    with progress_on(_ERR) as progress:
        click.echo(weights.fetch(name, progress.say))
    return 0


@weights_group.command("add")
@click.argument("name")
@click.argument("file", type=_EXISTING)
def weights_add(name: str, file: Path) -> int:
    """Take the weights NAME from FILE, and check their hash."""
    click.echo(weights.add(name, file))
    return 0


@cli.command()
@click.argument("out", type=_EXISTING)
@click.argument("submission")
@click.argument("criterion")
@click.argument("points", type=float)
@click.option("--reason", required=True, help="One sentence for the student.")
@click.option("--marker", default=lambda: os.environ.get("USER", ""), help="Who marks [default: $USER].")
def mark(out: Path, submission: str, criterion: str, points: float, reason: str, marker: str) -> int:
    """Enter a person's mark for a `manual` criterion; the next `grade` to OUT takes it in."""
    enter(Gradebook.existing(out / grading.GRADEBOOK), submission, criterion, points, reason, marker)
    click.echo(f"{submission}: {criterion} {points:g}. Run `harness grade` again to publish it.")
    return 0


@cli.command()
def schema() -> int:
    """Print the JSON Schema of results.json."""
    click.echo(json.dumps(export.results_schema(), indent=2))
    return 0


for _command in (intake, export_command, env, bench, boards, predict, calibrate):
    cli.add_command(_command)


def main() -> NoReturn:
    """The console script: turns every expected error into an instruction and an exit status."""
    if sys.getfilesystemencoding() != "utf-8":  # an old locale: names in hand-ins are UTF-8 all the same
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with own_temporary_folder():
            status = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        status = _interrupted()
    except KeyboardInterrupt:
        status = _interrupted()
    except click.ClickException as error:
        error.show()
        status = 2
    except HarnessError as error:
        print_error(error, _ERR)
        status = error.exit_status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except OSError as error:
        if error.errno not in _MACHINE:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print_error(MachineError(f"{where}{error.strerror}", "make room on the disk, or check its permissions"), _ERR)
        status = MachineError.exit_status
    sys.exit(status)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _interrupted() -> int:
    click.echo("Stopped. Run the same command again to go on: what is done is kept.", err=True)
    return 130
