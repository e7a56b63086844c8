"""One submission through the stages: what runs, what it reads, and what runs again after a change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from harness.assignment import Assignment
from harness.cache import StageCache
from harness.evidence import (
    Benchmark,
    Blob,
    Conversion,
    DatasetAudit,
    Done,
    Evaluation,
    Evidence,
    Execution,
    FailedExecution,
    Inspection,
    Predictions,
    Reference,
    Skipped,
    StageResult,
)
from harness.findings import Finding, finding
from harness.guard import guarded
from harness.images import HeldOutSet, StagedImages
from harness.intake.collect import COMPANIONS, MODEL_SUFFIXES
from harness.progress import Progress
from harness.score import score
from harness.stages.audit import audit
from harness.stages.benchmark import benchmark
from harness.stages.convert import HandedModel, convert
from harness.stages.execute import execute
from harness.stages.inspect import inspect
from harness.stages.predict import predict
from harness.stages.workplace import Workplace
from harness.submission import Submission

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class TrainingPictures:
    """The pictures that notebooks get, and a few of them for checking conversions."""

    sha256: str
    check_images: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """Pre-trained weights that the assignment names."""

    hub: Path | None  # a folder shaped like TORCH_HOME, to be mounted; None when none are named
    files: dict[str, Path]  # name -> file
    sha256: dict[str, str]  # name -> hash of the file


@dataclass(frozen=True, slots=True)
class Course:
    """All that is the same for every hand-in of a run."""

    assignment: Assignment
    held_out: HeldOutSet
    staged: StagedImages
    training: TrainingPictures
    weights: Weights
    reference: Reference
    workplace: Workplace
    cache: StageCache
    progress: Progress


@dataclass(frozen=True, slots=True)
class Examined:
    """A hand-in and what was found out about it; `cached` names the stages that an earlier run did."""

    submission: Submission
    evidence: Evidence
    cached: frozenset[str] = field(default_factory=frozenset)


def examine(submission: Submission, course: Course) -> Examined:
    """The hand-in through all stages but the benchmark, which is `Skipped` until `time_model`.

    Never raises for anything that a student handed in. Raises `MachineError` when the machine, a full
    disk say, cannot go on, and `RunStopped` when the run is being ended.
    """
    results: dict[str, Any] = {}
    cached: set[str] = set()
    assignment, workplace = course.assignment, course.workplace
    limits = assignment.limits

    def stage(name: str, value: type[T], inputs: object, work: Callable[[], StageResult[T]]) -> Any:
        result, was_cached = guarded(
            submission.id, name, value, inputs, work, cache=course.cache, progress=course.progress, limits=limits
        )
        results[name] = result
        if was_cached:
            cached.add(name)
        return result

    executed = stage(
        "execute",
        Execution,
        [
            submission.sha256,
            course.training.sha256,
            assignment.dataset and assignment.dataset.mounted_as,
            assignment.execution,
            assignment.handin,
            course.weights.sha256,
            limits,
        ],
        lambda: (
            execute(submission, assignment.dataset, assignment.execution, course.weights.hub, workplace)
            if assignment.handin.notebook != "ignored"
            else Skipped(reason="This assignment does not look at notebooks.")
        ),
    )
    stage(
        "audit",
        DatasetAudit,
        [submission.sha256, assignment.handin, limits],
        lambda: (
            audit(submission, workplace)
            if assignment.handin.dataset != "ignored"
            else Skipped(reason="This assignment does not look at data sets.")
        ),
    )

    model = _model_to_grade(submission, executed, course)
    converted = stage(
        "convert",
        Conversion,
        [
            model and model.key(),
            course.held_out.classes,
            course.training.sha256,
            course.weights.sha256,
            limits,
        ],
        lambda: (
            convert(model, course.held_out.classes, course.training.check_images, course.weights.hub, workplace)
            if model is not None
            else Skipped(
                reason="There is no model: none was handed in, and the notebook saved none.",
                findings=(finding("no-model"),),
            )
        ),
    )
    conversion = converted.value if isinstance(converted, Done) else None

    def with_model(work: Callable[[Conversion], StageResult[T]]) -> Callable[[], StageResult[T]]:
        def run() -> StageResult[T]:
            return work(conversion) if conversion else Skipped(reason="There is no usable model.")

        return run

    predicted = stage(
        "predict",
        Predictions,
        [conversion, course.staged.sha256, course.weights.sha256, limits],
        with_model(lambda model: predict(model, course.staged, workplace)),
    )
    stage(
        "inspect",
        Inspection,
        [conversion, course.weights.sha256, limits],
        with_model(lambda model: inspect(model, course.weights.files, workplace)),
    )
    stage(
        "evaluate",
        Evaluation,
        [
            predicted.value if isinstance(predicted, Done) else None,
            course.held_out.sha256,
            course.reference.predictions,
            conversion.preprocess if conversion else None,
        ],
        lambda: (
            score(predicted.value, course.held_out, course.reference.predictions, workplace.store)
            if isinstance(predicted, Done)
            else Skipped(reason="There are no predictions to score.")
        ),
    )
    results["benchmark"] = Skipped(reason="The speed was not measured yet.")
    course.progress.submission_ended(submission.id)
    evidence = Evidence(
        **results, intake_findings=(*submission.findings, *_beside_the_stages(submission, executed, course))
    )
    return Examined(submission, evidence, frozenset(cached))


def time_model(examined: Examined, course: Course) -> Examined:
    """The same hand-in with its benchmark; call it when nothing else runs."""
    evidence, submission = examined.evidence, examined.submission
    converted, predicted = evidence.convert, evidence.predict
    rules, workplace = course.assignment.benchmark, course.workplace

    def work() -> StageResult[Benchmark]:
        if not isinstance(converted, Done) or not isinstance(predicted, Done):
            return Skipped(reason="There is no usable model.")
        return benchmark(
            converted.value,
            course.reference.conversion,
            predicted.value,
            course.staged,
            rules,
            workplace,
        )

    inputs = [
        converted.value if isinstance(converted, Done) else None,
        predicted.value.probabilities if isinstance(predicted, Done) else None,
        course.reference.conversion.model,
        course.staged.sha256,
        rules,
        course.assignment.limits,
    ]
    result, was_cached = guarded(
        submission.id,
        "benchmark",
        Benchmark,
        inputs,
        work,
        cache=course.cache,
        progress=course.progress,
        limits=course.assignment.limits,
    )
    return replace(
        examined,
        evidence=evidence.model_copy(update={"benchmark": result}),
        cached=examined.cached | ({"benchmark"} if was_cached else set()),
    )


def _beside_the_stages(submission: Submission, executed: StageResult[Execution], course: Course) -> list[Finding]:
    """Parts that the assignment requires and nobody handed in or made, and a run without a sandbox."""
    made_a_model = bool(_produced(executed))
    there = {
        "notebook": submission.notebook is not None,
        "model": submission.model is not None or made_a_model,
        "dataset": submission.dataset is not None,
    }
    wanted = course.assignment.handin.model_dump()
    findings = [finding("part-missing", part=part) for part in there if wanted[part] == "required" and not there[part]]
    if course.workplace.sandbox.name == "none":
        findings.append(finding("sandbox-off"))
    return findings


def _model_to_grade(submission: Submission, executed: StageResult[Execution], course: Course) -> HandedModel | None:
    """The model that the notebook made, else the one handed in."""
    store = course.workplace.store
    produced = _produced(executed)
    models = [blob for blob in produced if Path(blob.name).suffix.lower() in MODEL_SUFFIXES]
    if models:
        best = min(models, key=lambda blob: MODEL_SUFFIXES.index(Path(blob.name).suffix.lower()))
        companions = {blob.name: store.path(blob) for blob in produced if blob.name in COMPANIONS}
        handed_in = {path.name: submission.root / path for path in submission.companions}
        return HandedModel(store.path(best), handed_in | companions)
    if submission.model is not None and course.assignment.handin.model != "ignored":
        return HandedModel(
            submission.root / submission.model,
            {path.name: submission.root / path for path in submission.companions},
        )
    return None


def _produced(executed: StageResult[Execution]) -> tuple[Blob, ...]:
    if isinstance(executed, Done):
        return executed.value.produced
    if isinstance(executed, FailedExecution) and executed.execution is not None:
        return executed.execution.produced
    return ()
