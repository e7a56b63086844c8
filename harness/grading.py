"""The whole of `harness grade`: from a folder of hand-ins to marks and pages in the output folder."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

import harness
from harness import export, report
from harness.across import across_students
from harness.assignment import Assignment
from harness.copied import with_copies_noted
from harness.course import Course, prepared
from harness.errors import MachineError, UsageError
from harness.evidence.reference import Reference
from harness.grade.rubric import grade
from harness.gradebook import NAME, Gradebook
from harness.intake import collect
from harness.progress import Progress
from harness.results import (
    AssignmentResult,
    ReferenceResult,
    Results,
    RunInfo,
    SubmissionResult,
    submission_result,
)
from harness.review.marks import given
from harness.run import Examined
from harness.sandbox import Chosen
from harness.schedule import examine_all


@dataclass(frozen=True, slots=True)
class Request:
    """What `harness grade` was asked for."""

    submissions: Path
    assignment: Assignment
    out: Path
    chosen: Chosen
    jobs: int
    force: bool


def grade_all(request: Request, progress: Progress) -> Results:
    """Grade every hand-in and write grades.csv, results.json, the pages and the gradebook to `out`.

    Raises `UsageError` for folders that are not what they should be, `MachineError` when the machine
    cannot do it. On KeyboardInterrupt nothing half-written stands under a final name.
    """
    with (
        _own_output_folder(request.out, request.assignment),
        TemporaryDirectory(prefix="harness-submissions-") as workdir,
    ):
        Path(workdir).chmod(0o755)  # the sandbox's own user reads what is mounted from here
        submissions = collect(request.submissions, Path(workdir))
        sandbox = request.chosen.sandbox
        with prepared(request.assignment, sandbox, progress, force=request.force) as course:
            examined = with_copies_noted(examine_all(submissions, course, request.jobs), course)
            examined = across_students(examined, course.workplace.store)
            progress.say("Writing the reports ...")
            try:
                return _publish(request, course, examined)
            except OSError as error:
                raise MachineError(
                    f"{request.out}: cannot be written: {error.strerror or error}", "make room, or take another --out"
                ) from error


def _publish(request: Request, course: Course, examined: list[Examined]) -> Results:
    book = Gradebook(request.out / NAME)
    rows: list[SubmissionResult] = []
    for one, by_people in zip(examined, given(book, [one.submission for one in examined]), strict=True):
        handed_in = one.submission
        marked = grade(request.assignment, one.evidence, by_people.marks, handed_in.origin)
        marked = marked.model_copy(update={"findings": (*marked.findings, *by_people.findings)})
        rows.append(
            submission_result(
                handed_in.id,
                handed_in.student,
                one.evidence,
                marked,
                one.cached,
                handed_in.origin,
                handed_in.identity,
                handed_in.sha256,
            )
        )
    results = Results(
        schema=1,
        assignment=AssignmentResult(
            title=request.assignment.title,
            task=request.assignment.task,
            file=str(request.assignment.file),
            max_points=request.assignment.max_points,
        ),
        reference=_reference_result(course.reference) if course.reference else None,
        run=RunInfo(
            harness=harness.__version__,
            sandbox=request.chosen.sandbox.name,
            sandbox_reason=request.chosen.reason,
            not_enforced=tuple(request.chosen.sandbox.not_enforced),
            finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        ),
        submissions=tuple(rows),
    )
    book.record(results)
    sources = report.Sources(
        {one.submission.id: one.evidence for one in examined},
        course.reference,
        course.held_out,
        course.workplace.store,
    )
    report.write(results, sources, request.out)
    export.write_grades_csv(results, request.out / "grades.csv")
    export.write_results_json(results, request.out / "results.json")
    _drop_stale_pages(request.out, {row.id for row in rows})
    return results


def _reference_result(reference: Reference) -> ReferenceResult:
    return ReferenceResult(
        backbone=reference.backbone,
        accuracy=reference.evaluation.accuracy,
        accuracy_interval=reference.evaluation.accuracy_interval,
        images=reference.evaluation.images,
        training_seconds=reference.training_seconds,
        latency=reference.latency,
    )


def _drop_stale_pages(out: Path, ids: set[str]) -> None:
    for page in (out / "students").iterdir():
        if page.name not in ids:
            shutil.rmtree(page)


@contextlib.contextmanager
def _own_output_folder(out: Path, assignment: Assignment) -> Iterator[None]:
    """The output folder, made and locked. Raises when another run works in it or it is another's."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / ".lock").open("w")
    except OSError as error:
        raise MachineError(f"{out}: cannot write there: {error.strerror}", "choose another --out") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{out}: another run is writing there", "wait for it, or choose another --out") from None
        _check_same_assignment(out, assignment)
        yield


def _check_same_assignment(out: Path, assignment: Assignment) -> None:
    """An output folder serves one assignment: its gradebook holds marks that people gave."""
    earlier = out / "results.json"
    if not earlier.is_file():
        return
    try:
        title = Results.model_validate_json(earlier.read_bytes()).assignment.title
    except (ValidationError, OSError):
        raise UsageError(
            f"{earlier}: is there, and is not of this version of the harness",
            "choose another --out, or move that folder away",
        ) from None
    if title != assignment.title:
        raise UsageError(f"{out}: holds the results of {title!r}", "choose another --out")
