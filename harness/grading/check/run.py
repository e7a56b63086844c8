"""The whole of `harness check`: packs the student's folder, and grades what it packed on the public part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import harness
from harness.errors import UsageError
from harness.files.hashing import file_sha256
from harness.files.whole_file import copy_whole
from harness.grading.check import outcome
from harness.grading.check.outcome import BoardTime, Check, PackedHandIn, Seen
from harness.grading.check.packing import HANDIN, Packed, chosen, write_zip
from harness.grading.check.public_run import PublicRun, public_run
from harness.grading.check.scores import with_detector_scores, with_scores
from harness.grading.rubric.criteria.latency_vs_reference import anchors
from harness.grading.rubric.rubric import check as check_rubric
from harness.grading.rubric.rubric import grade
from harness.grading.submission_run import Examined, examine, time_model
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.public import load_public
from harness.inputs.detector_scores import DetectorScores
from harness.inputs.student_package import ASSIGNMENT, ReferenceScores, StudentPackage, is_package, read_package
from harness.inputs.submission import Submission
from harness.inputs.submissions import collect
from harness.sandbox import Chosen
from harness.stages.evidence.stage_result import Done
from harness.stages.evidence.submission import Evidence
from harness.stages.progress import Progress

_TIMED = "latency_vs_reference"  # the criterion for which a model is timed


@dataclass(frozen=True, slots=True)
class Public:
    """An assignment as a student has it: alone, or with the package that it came in."""

    assignment: Assignment
    package: StudentPackage | None


@dataclass(frozen=True, slots=True)
class Request:
    """What `harness check` was asked for."""

    folder: Path
    public: Public
    chosen: Chosen
    keep_zip: bool
    force: bool = False


def read_public(given: Path | None, folder: Path) -> Public:
    """The assignment: `given`, a file or a package's folder; else the one in the student's folder or above it.

    Raises `UsageError` where there is none, and `AssignmentError` for one that is broken.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder", "give the folder with your notebook and model")
    places = [given] if given is not None else [folder, folder.resolve().parent]
    for place in places:
        if is_package(place):
            package = read_package(place.resolve())
            return _checked(Public(load_public(package.assignment), package))
        file = place / ASSIGNMENT if place.is_dir() else place
        if file.is_file():
            if is_package(file.parent):
                return read_public(file.parent, folder)
            return _checked(Public(load_public(file), None))
    where = given or folder
    if given is not None and not given.exists():
        raise UsageError(f"{given}: no such file or folder", "give --assignment: the file, or your course's package")
    raise UsageError(f"{where}: there is no {ASSIGNMENT}", "give --assignment: the file, or your course's package")


def _checked(public: Public) -> Public:
    check_rubric(public.assignment)
    return public


def check(request: Request, progress: Progress) -> Check:
    """What grading would find in the student's folder, as far as it can be known here.

    Raises `UsageError` for a folder that cannot be handed in, and `MachineError` when this machine cannot do it.
    """
    # Tests on worse images decide no mark, and take half of the time.
    public = request.public
    rules = public.assignment.robustness.model_copy(update={"enabled": False})
    assignment = public.assignment.model_copy(update={"robustness": rules, "deadline": None})
    with TemporaryDirectory(prefix="harness-check-") as temporary:
        zipped, packed = _packed(request.folder, assignment, Path(temporary))
        (submission,) = collect(zipped.parent, Path(temporary) / "submission")
        with public_run(
            assignment,
            public.package,
            submission,
            request.folder,
            request.chosen.sandbox,
            progress,
            force=request.force,
        ) as run:
            examined = _examined(submission, run)
            result = _result(request, run, examined, packed.links)
        if request.keep_zip:
            kept = request.folder / HANDIN
            copy_whole(zipped, kept)
            handin = PackedHandIn(path=str(kept), sha256=file_sha256(kept), files=len(packed.files))
            result = result.model_copy(update={"handin": handin})
        return result


def _packed(folder: Path, assignment: Assignment, temporary: Path) -> tuple[Path, Packed]:
    """The zip, alone in a folder; and what is in it."""
    course = [PurePosixPath(assignment.dataset.mounted_as)] if assignment.dataset is not None else []
    packed = chosen(folder, course)
    zipped = temporary / "packed" / HANDIN
    zipped.parent.mkdir()
    write_zip(packed, zipped, harness.__version__)
    return zipped, packed


def _examined(submission: Submission, run: PublicRun) -> Examined:
    """Through the stages that grading has; timed only where time gives points."""
    examined = examine(submission, run.context)
    assignment = run.context.assignment
    if any(spec.kind == _TIMED for spec in assignment.criteria):
        return time_model(examined, run.context, anchors(assignment.criteria))
    return examined


def _result(request: Request, run: PublicRun, examined: Examined, links: Sequence[str]) -> Check:
    package = request.public.package
    detector = package.detector if package else None
    evidence = examined.evidence
    assignment, store = run.context.assignment, run.context.stage_context.store
    if run.scores is not None:
        evidence = with_scores(evidence, run.scores, run.context.shared.held_out, store)
    if detector is not None and run.images_from == "public":
        evidence = with_detector_scores(evidence, detector)
    seen = Seen(run.images_from, run.may_be_seen, run.missing_weights, run.training_here)
    lines = outcome.criteria(grade(assignment, evidence, {}, examined.submission.origin), evidence)
    points, interval = outcome.expected(lines)
    score = evidence.evaluate.value if isinstance(evidence.evaluate, Done) else None
    boxes = evidence.score_boxes.value if isinstance(evidence.score_boxes, Done) else None
    timed = evidence.benchmark.value if isinstance(evidence.benchmark, Done) else None
    found = outcome.steps(evidence, seen)
    if links:
        named = ", ".join(links[:5])
        left = f"Links and pipes are not handed in: {named}. Put the files themselves there."
        files = found[0].model_copy(update={"notes": (*found[0].notes, left)})
        found = (files, *found[1:])
    chosen_engine = request.chosen
    return Check(
        assignment=assignment.title,
        sandbox=chosen_engine.sandbox.name,
        sandbox_says="; ".join([chosen_engine.reason, *chosen_engine.sandbox.not_enforced]),
        images=len(run.context.shared.staged.names) if score is None else score.images,
        images_from=run.images_from,
        figures_mean=seen.meaning,
        accuracy=score.accuracy if score else None,
        accuracy_interval=score.accuracy_interval if score else None,
        reference_accuracy=score.reference_accuracy if score else None,
        ap50=boxes.scores.ap50 if boxes else None,
        ap50_interval=boxes.ap50_interval if boxes else None,
        reference_ap50=boxes.reference_ap50 if boxes else None,
        latency_ms=timed.model.p50_ms if timed else None,
        reference_latency=_reference_latency(detector or (package.scores if package else None)),
        boards=_boards(evidence),
        steps=found,
        criteria=lines,
        expected=points,
        expected_interval=interval,
        open_points=sum(line.max_points for line in lines if line.points is None),
        max_points=assignment.max_points,
    )


def _reference_latency(scores: ReferenceScores | DetectorScores | None) -> str:
    if scores is None or scores.latency is None:
        return ""
    return f"{scores.latency.p50_ms:.3g} ms on {scores.latency.machine}"


def _boards(evidence: Evidence) -> tuple[BoardTime, ...]:
    if not isinstance(evidence.boards, Done):
        return ()
    return tuple(
        BoardTime(
            board=row.board,
            latency_ms=row.latency_ms,
            interval_90=row.interval_90,
            reference_ms=row.versus_reference.reference_ms if row.versus_reference else None,
        )
        for row in evidence.boards.value.boards
    )
