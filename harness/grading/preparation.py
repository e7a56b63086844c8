"""What a class needs that this machine lacks: pre-trained weights to fetch, environments to build."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.errors import MachineError
from harness.grading.validation.machine import missing_weights
from harness.inputs import weights
from harness.inputs.assignment import Assignment
from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.inputs.weights.needed import needed_by
from harness.sandbox import Sandbox, Software, environments
from harness.stages.execute.environment import allowed, needed

BASE = "python:3.11-slim"  # of an image, as `harness env build` has it


@dataclass(frozen=True, slots=True)
class Lacking:
    """Names of weights, and environments; each with the ids of the submissions that need it, none for the course's."""

    weights: dict[str, tuple[str, ...]]
    software: tuple[tuple[Software, tuple[str, ...]], ...]

    def __bool__(self) -> bool:
        return bool(self.weights or self.software)


def lacking(folder: Path, assignment: Assignment, sandbox: Sandbox) -> Lacking:
    """What the course and the submissions in `folder` need and is not here; notebooks are read, never run.

    Where the assignment names the weights that notebooks may load, no others are needed.
    Raises `UsageError` as `collect` and `allowed` do.
    """
    with TemporaryDirectory(prefix="harness-prepare-") as workdir:
        submissions = collect(folder, Path(workdir))
        asked = {} if assignment.weights is not None else needed_by(submissions).names
        built_for = _environments(submissions, assignment, sandbox)
    own: dict[str, list[str]] = {name: [] for name in missing_weights(assignment)}
    absent = {name: ids for name, ids in asked.items() if weights.path(name) is None and not weights.standing_in(name)}
    return Lacking(
        {name: tuple(ids) for name, ids in (absent | own).items()},
        tuple((software, tuple(ids)) for software, ids in built_for.items()),
    )


def _environments(
    submissions: Iterable[Submission], assignment: Assignment, sandbox: Sandbox
) -> dict[Software, list[str]]:
    """The environments that notebooks need and this engine lacks."""
    found: dict[Software, list[str]] = {}
    choices = allowed(assignment)
    for submission in submissions:
        software = needed(submission, choices)
        if software is not None and sandbox.software_id(software) is None:
            found.setdefault(software, []).append(submission.id)
    return found


def prepare(what: Lacking, engine: str, say: Callable[[str], None]) -> None:
    """Fetch the weights and build the environments for `engine`.

    Raises `MachineError` with what failed, after everything else was tried.
    """
    failed = list[MachineError]()
    for name in what.weights:
        try:
            say(f"{name}: {weights.fetch(name, say)}")
        except MachineError as error:
            failed.append(error)
    for software, _ in what.software:
        try:
            for built in environments.build(software, BASE, None, say, engine=engine):
                say(str(built))
        except MachineError as error:
            failed.append(error)
    if failed:
        raise MachineError("\n".join(one.message for one in failed), "\n      ".join(one.do for one in failed))
