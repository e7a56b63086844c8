"""The whole of `harness grade`: from a folder of submissions to marks and pages in the output folder."""

from __future__ import annotations

import contextlib
import datetime
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

import harness
from harness import report
from harness.boundary.one_by_one import Defect, for_each, together
from harness.errors import MachineError, UsageError
from harness.files.private import private_file
from harness.files.system import lock as lock_file
from harness.gradebook import database as gradebook
from harness.gradebook.database import Gradebook
from harness.gradebook.marks import given, of_known_titles, with_one_identity
from harness.gradebook.opening import gradebook_for
from harness.gradebook.results import (
    AssignmentResult,
    ReferenceResult,
    Results,
    RunInfo,
    SubmissionResult,
    with_defects,
)
from harness.grading import marking, sample_size
from harness.grading.context import GradedOn, RunContext
from harness.grading.first_pages import FirstPages
from harness.grading.reference import prepared
from harness.grading.rubric import late
from harness.grading.rubric.rubric import check as check_rubric
from harness.grading.rubric.rubric import grade, title_of
from harness.grading.similarity.class_texts import with_texts_compared
from harness.grading.similarity.images import across_students
from harness.grading.similarity.models import with_copies_noted
from harness.grading.submission_run import Examined, with_defect
from harness.grading.validation import NOTHING_FOUND, Checked, checked_first
from harness.grading.why import write_asked
from harness.grading.workers import examine_all
from harness.inputs.assignment import Assignment
from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.report import export
from harness.sandbox import Chosen
from harness.stages.evidence.alike import AlikeTexts
from harness.stages.evidence.detector_reference import DetectorReference
from harness.stages.evidence.grade import Grade
from harness.stages.evidence.submission import Evidence
from harness.stages.progress import Progress


@dataclass(frozen=True, slots=True)
class Request:
    """What `harness grade` was asked for."""

    submissions: Path
    assignment: Assignment
    out: Path
    chosen: Chosen
    jobs: int
    force: bool
    checked: Checked = NOTHING_FOUND  # what was found of the assignment before grading


def grade_all(request: Request, progress: Progress) -> Results:
    """Grade every submission and write grades.csv, results.json, the pages and the gradebook to `out`.

    Raises `UsageError` for folders that are not what they should be, `AssignmentError` for images that would be graded
    wrongly, `MachineError` when the machine cannot do it. On KeyboardInterrupt nothing half-written stands under a
    final name.
    """
    check_rubric(request.assignment)
    with (
        _own_output_folder(request.out, request.assignment),
        TemporaryDirectory(prefix="harness-submissions-") as workdir,
    ):
        titles = [*map(title_of, request.assignment.criteria), late.TITLE]
        of_known_titles(gradebook_for(request.out, request.assignment.title), titles)
        submissions = _without_names(collect(request.submissions, Path(workdir)), Path(workdir))
        request = replace(request, checked=checked_first(request.assignment, request.chosen.sandbox, progress))
        with prepared(request.assignment, request.chosen.sandbox, progress, force=request.force) as run_context:
            sample_size.warn(run_context)
            return grade_collected(request, submissions, run_context)


def grade_collected(request: Request, submissions: Sequence[Submission], run_context: RunContext) -> Results:
    """Grade these submissions, whatever becomes of any one of them, and write all that `grade_all` does.

    Raises `MachineError` when the machine, not a submission, is the trouble.
    """
    book = gradebook_for(request.out, request.assignment.title)
    several = with_one_identity(submissions)

    def mark(one: Examined) -> Grade:
        handed_in = one.submission
        by_people = given(book, handed_in, several)
        marked = grade(request.assignment, one.evidence, by_people.marks, handed_in.origin)
        of_images = marking.of_repeats(one.evidence, request.checked.accepted_repeats, run_context.shared.held_out)
        said = (*marked.findings, *by_people.findings, *of_images)
        return marked.model_copy(update={"findings": said})

    pages = first_pages(request, submissions, run_context, mark)
    try:
        examined = examine_all(submissions, run_context, request.jobs, pages)
        examined = _compared(
            "comparing models",
            examined,
            partial(with_copies_noted, run_context=run_context, detector=run_context.shared.detector),
        )
        store = run_context.stage_context.store
        examined = _compared(
            "comparing data sets", examined, partial(across_students, store=store, cache=run_context.cache)
        )
        texts = None
        if request.assignment.handin.notebook != "ignored":
            examined, texts = with_texts_compared(examined, request.assignment.public.notebook, run_context.cache)
        run_context.progress.say("Writing the reports ...")
        try:
            return _publish(request, run_context, examined, texts, book, mark)
        except OSError as error:
            raise MachineError(
                f"{request.out}: cannot be written: {error.strerror or error}", "make room, or take another --out"
            ) from error
    except BaseException:
        pages.stopped()
        raise


def first_pages(
    request: Request, submissions: Sequence[Submission], run_context: RunContext, mark: Callable[[Examined], Grade]
) -> FirstPages:
    """What writes pages while the run goes on."""
    progress = run_context.progress
    return FirstPages(
        submissions,
        report.UnfinishedPages(_sources(request, run_context, {}), request.out),
        marked=lambda one: marking.rows([one], request.assignment, mark)[0],
        run=lambda: _results(request, run_context, ()),
        first_written=lambda: progress.say(f"First pages: {(request.out / report.PAGE).resolve()}"),
    )


def _without_names(submissions: list[Submission], workdir: Path) -> list[Submission]:
    """The same submissions in folders with random names: where a mount comes from is in `/proc/<pid>/mountinfo`,
    which any user of the machine may read."""

    def moved(submission: Submission) -> Submission:
        root = submission.root.rename(workdir / secrets.token_hex(16))
        return replace(submission, root=root)

    return for_each("moving it", submissions, moved, lambda submission, _: submission)


def _compared(
    what: str, examined: list[Examined], compare: Callable[[list[Examined]], list[Examined]]
) -> list[Examined]:
    """The same submissions compared with each other, but for those with which that fails: they have a finding."""
    compared, left_out = together(what, examined, compare)
    each = iter(compared)
    return [with_defect(one, left_out[i]) if i in left_out else next(each) for i, one in enumerate(examined)]


def _publish(
    request: Request,
    run_context: RunContext,
    examined: list[Examined],
    texts: AlikeTexts | None,
    book: Gradebook,
    mark: Callable[[Examined], Grade],
) -> Results:
    rows = marking.rows(examined, request.assignment, mark)
    results = _results(request, run_context, rows).model_copy(update={"texts": texts})
    sources = _sources(request, run_context, {one.submission.id: one.evidence for one in examined})
    results = report.write(with_defects(results, _unwritable(results)), sources, request.out)
    book.record(results)
    export.write_grades_csv(results, request.out / "grades.csv")
    export.write_results_json(results, request.out / "results.json")
    write_asked(request.out, run_context.cache)
    _drop_stale_pages(request.out, {row.id for row in results.submissions})
    return results


def _results(request: Request, run_context: RunContext, rows: Sequence[SubmissionResult]) -> Results:
    """These rows, and how the run that they are of is made, as of now."""
    assignment, chosen = request.assignment, request.chosen
    return Results(
        schema=1,
        assignment=AssignmentResult(
            title=assignment.title,
            task=assignment.task,
            file=str(assignment.file),
            max_points=assignment.max_points,
        ),
        reference=_reference_result(run_context.shared),
        run=RunInfo(
            harness=harness.__version__,
            sandbox=chosen.sandbox.name,
            sandbox_reason=chosen.reason,
            not_enforced=tuple(chosen.sandbox.not_enforced),
            doubts=request.checked.doubts,
            finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        ),
        submissions=tuple(rows),
    )


def _sources(request: Request, run_context: RunContext, evidence: dict[str, Evidence]) -> report.Sources:
    store = run_context.stage_context.store
    return report.Sources(
        evidence,
        run_context.shared.reference,
        run_context.shared.held_out,
        store,
        request.assignment.feedback,
        (*_given_folders(request), request.out, store.folder),
        run_context.shared.detector,
    )


def _given_folders(request: Request) -> tuple[Path, ...]:
    """Where what is graded, and what it gets, lies: the training images may be far from the assignment."""
    dataset = request.assignment.dataset
    images = () if dataset is None or dataset.path is None else (dataset.path,)
    return (request.submissions, request.assignment.file.parent, *images)


def _unwritable(results: Results) -> dict[str, Defect]:
    """The submissions whose row cannot be written to grades.csv or the gradebook, by id."""

    def written(row: SubmissionResult) -> Defect | None:
        export.grades_row(row)
        gradebook.rows_of(row)
        return None

    tried = for_each("writing its row", results.submissions, written, lambda _, found: found)
    return {row.id: found for row, found in zip(results.submissions, tried, strict=True) if found is not None}


def _reference_result(shared: GradedOn) -> ReferenceResult | None:
    if shared.detector is not None:
        return _detector_result(shared.detector)
    reference = shared.reference
    if reference is None:
        return None
    return ReferenceResult(
        backbone=reference.backbone,
        accuracy=reference.evaluation.accuracy,
        accuracy_interval=reference.evaluation.accuracy_interval,
        images=reference.evaluation.images,
        training_seconds=reference.training_seconds,
        latency=reference.latency,
    )


def _detector_result(reference: DetectorReference) -> ReferenceResult:
    scored = reference.evaluation
    return ReferenceResult(
        backbone=reference.backbone,
        accuracy=None,
        accuracy_interval=None,
        ap50=scored.scores.ap50,
        ap50_interval=scored.ap50_interval,
        images=scored.images,
        training_seconds=reference.training_seconds,
        latency=reference.latency,
    )


def _drop_stale_pages(out: Path, ids: set[str]) -> None:
    for folder in (report.INSTRUCTORS, report.STUDENTS):
        for page in (out / folder).iterdir():
            if page.is_dir() and page.name not in ids:
                shutil.rmtree(page)


@contextlib.contextmanager
def _own_output_folder(out: Path, assignment: Assignment) -> Iterator[None]:
    """The output folder, made and locked. Raises when another run works in it or it is another's."""
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = private_file(out / ".lock").open("w")
    except OSError as error:
        raise MachineError(f"{out}: cannot write there: {error.strerror}", "choose another --out") from error
    with lock:
        try:
            lock_file(lock, wait=False)
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
