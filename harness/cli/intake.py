"""`harness intake`: shows what would be graded and why, before anything runs."""

from __future__ import annotations

import datetime
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.table import Table
from rich.text import Text

from harness.boundary.screen import Screen, say_json, visible
from harness.cli.assignment_file import read_assignment
from harness.cli.options import PATH, as_json_option
from harness.findings import Finding
from harness.findings.file_kinds import FILE_KINDS
from harness.grading.rubric.late import late_days
from harness.inputs.assignment.deadline import Deadline
from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.inputs.submissions.lms import readers
from harness.stages.evidence.record import Record

_MANY = 5  # files of one kind, from which on they are counted and not listed
_MOST_LINES = 20


class IntakeFile(Record):
    """A file, and what its content says it is."""

    path: str
    what: str


class IntakeRow(Record):
    """One submission, as it would be graded."""

    id: str
    student: str
    members: tuple[str, ...]
    source: str  # the LMS, or `plain`
    why: str  # how it was recognised
    lms_id: str
    notebook: str | None  # path in the submission
    model: str | None  # the one that is tried first
    models: tuple[IntakeFile, ...]  # all that may be it, in the order in which they are tried
    files: tuple[IntakeFile, ...]
    dataset: bool
    companions: tuple[str, ...]
    handed_in: datetime.datetime | None
    clock: str  # the source of the time
    said_late: bool
    late_days: int | None
    earlier_tries: tuple[str, ...]
    findings: tuple[Finding, ...]


class Intake(Record):
    """All submissions in a folder or download."""

    submissions: tuple[IntakeRow, ...]


@click.command()
@click.argument("submissions", type=PATH)
@click.option("--assignment", "file", type=PATH, help="For late days: the assignment.toml.")
@as_json_option
def intake(submissions: Path, file: Path | None, as_json: bool) -> int:
    """Show what would be graded in SUBMISSIONS, as what, and why. Nothing of it is run.

    SUBMISSIONS is a folder of submissions, or an LMS's download of them, unpacked or as the zip. Ends with 1 when
    something in it could not be read or has to be looked at by a person, as the last column says.
    """
    deadline = read_assignment(file).deadline if file else None
    with TemporaryDirectory(prefix="harness-intake-") as workdir:
        found = Intake(submissions=tuple(_row(one, deadline) for one in collect(submissions, Path(workdir))))
    if as_json:
        say_json(found.model_dump_json())
    else:
        _print(found)
    return 1 if any(_needs_a_person(row) for row in found.submissions) else 0


def _needs_a_person(row: IntakeRow) -> bool:
    """Whether a part of it could not be read, or its sender is not certain."""
    return any(finding.severity == "error" for finding in row.findings)


def _row(one: Submission, deadline: Deadline | None) -> IntakeRow:
    origin = one.origin
    return IntakeRow(
        id=one.id,
        student=one.student,
        members=origin.members,
        source=origin.source,
        why=origin.why,
        lms_id=origin.lms_id,
        notebook=str(one.notebook) if one.notebook else None,
        model=str(one.model) if one.model else None,
        models=tuple(IntakeFile(path=str(model.path), what=FILE_KINDS[model.kind].title) for model in one.models),
        files=tuple(IntakeFile(path=str(file.path), what=FILE_KINDS[file.kind].title) for file in one.files),
        dataset=one.dataset is not None,
        companions=tuple(str(companion.path) for companion in one.models[0].companions) if one.models else (),
        handed_in=origin.handed_in,
        clock=origin.clock,
        said_late=origin.said_late,
        late_days=late_days(origin.handed_in, deadline) if deadline and origin.handed_in else None,
        earlier_tries=tuple(earlier.label for earlier in origin.earlier),
        findings=one.findings,
    )


def _print(found: Intake) -> None:
    console = Screen()
    table = Table("submission", "student, why", "notebook, model", "handed in", "to know")
    for column in table.columns:
        column.overflow = "fold"
    for row in found.submissions:
        table.add_row(visible(row.id), _who(row), _what(row), _when(row), _notes(row))
    console.print(table)
    counts = Counter(_title(row.source) for row in found.submissions)
    sources = ", ".join(f"{title} {count}" for title, count in sorted(counts.items()))
    many = len(found.submissions)
    console.print(f"{many} submission{'' if many == 1 else 's'}: {sources}")


def _title(source: str) -> str:
    return readers()[source].TITLE if source in readers() else source


def _who(row: IntakeRow) -> Text:
    names = f"{row.student}: {', '.join(row.members)}" if row.members else row.student
    return Text(visible(names)).append(f"\n{visible(row.why)}", style="dim")


def _what(row: IntakeRow) -> Text:
    beside = [*row.companions, *(["dataset/"] if row.dataset else [])]
    text = Text(f"{visible(row.notebook or 'no notebook')}\n{visible(row.model or 'no model')}")
    if beside:
        text.append(f"\n{visible(', '.join(beside))}", style="dim")
    return text.append("".join(f"\n{visible(line)}" for line in _files(row)), style="dim")


def _files(row: IntakeRow) -> list[str]:
    """A line for each file with what it is; of a kind that there is much of, one line."""
    many = {what for what, count in Counter(file.what for file in row.files).items() if count > _MANY}
    lines = [f"{file.path}: {file.what}" for file in row.files if file.what not in many]
    lines = [*lines[:_MOST_LINES], *([f"{len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else [])]
    counts = Counter(file.what for file in row.files if file.what in many)
    return [*lines, *(f"{count} times {what}" for what, count in sorted(counts.items()))]


def _when(row: IntakeRow) -> Text:
    when = f"{row.handed_in:%Y-%m-%d %H:%M}" if row.handed_in else "late, time unknown" if row.said_late else "unknown"
    late = f"\n{row.late_days} days late" if row.late_days else ""
    return Text(when + late).append(f"\n{visible(row.clock)}" if row.handed_in else "", style="dim")


def _notes(row: IntakeRow) -> Text:
    return Text("\n".join(visible(finding.whole_message) for finding in row.findings))
