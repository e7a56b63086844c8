"""`harness grade`: every submission of a folder or download."""

from __future__ import annotations

from pathlib import Path

import click

from harness import sandbox
from harness.boundary.screen import Screen, say, say_json
from harness.cli.assignment_file import read_assignment
from harness.cli.options import PATH, as_json_option, force_option
from harness.cli.preparing import prepare_class
from harness.cli.sandbox_options import handins_sandbox_option, runtime_option
from harness.cli.terminal import print_grades, progress_on
from harness.errors import UsageError
from harness.gradebook.results import SubmissionResult
from harness.grading import class_run as grading
from harness.grading.workers import default_jobs


@click.command()
@click.argument("submissions", type=PATH)
@click.option("--assignment", "file", type=PATH, required=True, help="The assignment.toml.")
@click.option("--out", type=PATH, required=True, help="Folder for the reports and grades.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Submissions at once [default: by cores and memory].")
@handins_sandbox_option
@runtime_option
@click.option("--prepare", is_flag=True, help="First fetch the weights and build the environments that are needed.")
@click.option("--yes", is_flag=True, help="With --prepare: do not ask.")
@force_option
@as_json_option
def grade(
    submissions: Path,
    file: Path,
    out: Path,
    jobs: int | None,
    sandbox_name: sandbox.EngineName,
    runtime: str | None,
    prepare: bool,
    yes: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Grade every submission in the folder SUBMISSIONS.

    Writes index.html, submissions/<id>/index.html, grades.csv and results.json, and the pages for students:
    students/<id>/index.html, of which publish makes files to give away. What an earlier run did for the same files is
    not done again.
    """
    if yes and not prepare:
        raise UsageError("--yes goes with --prepare", "give both, or neither")
    assignment = read_assignment(file)
    chosen = sandbox.choose(sandbox_name, runtime)
    if prepare:
        prepare_class(submissions, assignment, chosen.sandbox, ask=not yes)
    with progress_on(Screen(stderr=True)) as progress:
        progress.say(f"Sandbox: {chosen.sandbox.name} ({chosen.reason})")
        jobs = jobs or default_jobs(assignment.limits)
        request = grading.Request(submissions, assignment, out, chosen, jobs, force)
        results = grading.grade_all(request, progress)
    if as_json:
        say_json(results.model_dump_json(by_alias=True))
    else:
        print_grades(results, Screen())
        say(f"Report: {(out / 'index.html').resolve()}")
    return 1 if any(_went_wrong(row) for row in results.submissions) else 0


def _went_wrong(row: SubmissionResult) -> bool:
    """Whether it could not be graded, through the student's fault or a defect of the harness."""
    return row.status == "failed" or any(found.code == "harness-defect" for found in row.findings)
