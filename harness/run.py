"""One submission through the stages: what runs, what it reads, and what runs again after a change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from harness import models
from harness.assignment import Assignment
from harness.cache import StageCache
from harness.claims import against_measurement
from harness.environment_choice import allowed, choose
from harness.evaluate.transfer import concluded
from harness.evidence import (
    Benchmark,
    Conversion,
    DatasetAudit,
    Done,
    Evaluation,
    Evidence,
    Execution,
    Inspection,
    NotebookReading,
    Predictions,
    Reference,
    Skipped,
    StageResult,
    Stress,
)
from harness.findings import Finding, finding
from harness.guard import guarded
from harness.images import HeldOutSet, StagedImages
from harness.intake.imports import imported_modules
from harness.progress import Progress
from harness.sandbox import KERAS, TORCH, Software
from harness.score import score, trial
from harness.stages.audit import audit
from harness.stages.benchmark import benchmark
from harness.stages.convert import HandedModel, convert
from harness.stages.execute import execute
from harness.stages.inspect import inspect
from harness.stages.predict import predict
from harness.stages.read import read
from harness.stages.stress import affordable, stress
from harness.stages.workplace import Workplace
from harness.submission import Submission
from harness.weights import WeightsEntry

T = TypeVar("T", bound=BaseModel)
NO_MODEL = Skipped(reason="There is no usable model.")


@dataclass(frozen=True, slots=True)
class TrainingPictures:
    """The pictures that notebooks get, and a few of them for checking conversions."""

    sha256: str
    check_images: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """Pre-trained weights: those that notebooks may load, and the reference's."""

    hub: Path | None  # a folder to be mounted, as `harness/agent/notebook/pretrained.py` has it; None for none
    files: dict[str, Path]  # name -> file, of the reference's and of those that the assignment names
    sha256: dict[str, str]  # name -> hash of the file


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Every pre-trained backbone that is on this machine: students may have started from any."""

    files: dict[str, Path]  # name -> file
    entries: dict[str, WeightsEntry]

    def key(self) -> dict[str, str]:
        return {name: entry.digest for name, entry in self.entries.items()}


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
    pretrained: Pretrained
    unseen: StagedImages | None = None  # pictures of none of the classes


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

    stage(
        "read",
        NotebookReading,
        [submission.sha256, assignment.handin, assignment.notebook, limits],
        lambda: (
            read(submission, assignment.notebook, workplace)
            if assignment.handin.notebook != "ignored"
            else Skipped(reason="This assignment does not look at notebooks.")
        ),
    )
    software = _software(submission, course)
    executed = stage(
        "execute",
        Execution,
        [
            submission.sha256,
            course.training.sha256,
            assignment.dataset and assignment.dataset.model_dump(exclude={"path"}),
            assignment.execution,
            assignment.handin,
            course.weights.sha256,
            workplace.sandbox.software_id(software),
            limits,
        ],
        lambda: (
            _why_not_run(assignment)
            or execute(
                submission,
                assignment.dataset,
                assignment.execution,
                course.weights.hub,
                workplace.using(software),
            )
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
    conversion, predicted = _answered(model, stage, course)
    inspected = _inspected(conversion, stage, course)
    stressed = _stressed(conversion, predicted, inspected, stage, course)
    scored = _scored(conversion, predicted, stressed, stage, course)
    entry = course.pretrained.entries.get(inspected.value.backbone) if isinstance(inspected, Done) else None
    results["inspect"] = concluded(inspected, scored, conversion, entry.trained_on if entry else None)
    rerun = _rerun(submission, executed, course)
    results["benchmark"] = Skipped(reason="The speed was not measured yet.")
    course.progress.submission_ended(submission.id)
    evidence = Evidence(
        **results,
        rerun=rerun,
        intake_findings=(*submission.findings, *_beside_the_stages(submission, executed, course)),
    )
    claims = against_measurement(evidence)
    evidence = evidence.model_copy(update={"intake_findings": (*evidence.intake_findings, *claims)})
    return Examined(submission, evidence, frozenset(cached))


class _Stage(Protocol):
    """Runs one stage of a hand-in, or takes it from the cache."""

    def __call__(self, name: str, value: type[T], inputs: object, work: Callable[[], StageResult[T]]) -> Any: ...


def _answered(model: HandedModel | None, stage: _Stage, course: Course) -> tuple[Conversion | None, Any]:
    """The model through convert and predict; what it was converted to, if it was."""
    workplace, limits = course.workplace, course.assignment.limits
    converted = stage(
        "convert",
        Conversion,
        [
            model and model.key(),
            course.held_out.classes,
            course.training.sha256,
            course.weights.sha256,
            KERAS.lock,
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
    conversion: Conversion | None = converted.value if isinstance(converted, Done) else None
    predicted = stage(
        "predict",
        Predictions,
        [conversion, course.staged.sha256, course.weights.sha256, limits],
        lambda: predict(conversion, course.staged, workplace) if conversion else NO_MODEL,
    )
    return conversion, predicted


def _inspected(conversion: Conversion | None, stage: _Stage, course: Course) -> Any:
    known, staged, classes = course.pretrained, course.staged, len(course.held_out.classes)
    return stage(
        "inspect",
        Inspection,
        [conversion, known.key(), staged.sha256, classes, course.assignment.limits],
        lambda: inspect(conversion, known.files, staged, classes, course.workplace) if conversion else NO_MODEL,
    )


def _stressed(conversion: Conversion | None, predicted: Any, inspected: Any, stage: _Stage, course: Course) -> Any:
    rules, unseen, held_out = course.assignment.robustness, course.unseen, course.held_out
    work = inspected.value.multiply_adds if isinstance(inspected, Done) else None

    def tried() -> StageResult[Stress]:
        if not rules.enabled:
            return Skipped(reason="This assignment does not ask for it.")
        if conversion is None or not isinstance(predicted, Done):
            return NO_MODEL
        images = affordable(rules, work)
        attempt = trial(predicted.value, held_out, rules, images, unseen, course.workplace.store)
        return stress(conversion, attempt, course.staged, course.workplace)

    answers = predicted.value if isinstance(predicted, Done) else None
    inputs = [conversion, answers, held_out.sha256, rules, work, unseen and unseen.sha256, course.assignment.limits]
    return stage("stress", Stress, inputs, tried)


def _scored(conversion: Conversion | None, predicted: Any, stressed: Any, stage: _Stage, course: Course) -> Any:
    tried = stressed.value if isinstance(stressed, Done) else None
    reference = course.reference.predictions
    return stage(
        "evaluate",
        Evaluation,
        [
            predicted.value if isinstance(predicted, Done) else None,
            course.held_out.sha256,
            reference,
            conversion.preprocess if conversion else None,
            tried,
        ],
        lambda: (
            score(predicted.value, course.held_out, reference, course.workplace.store, tried)
            if isinstance(predicted, Done)
            else Skipped(reason="There are no predictions to score.")
        ),
    )


def _rerun(submission: Submission, executed: StageResult[Execution], course: Course) -> Evaluation | None:
    """The score of the model that the run made, where the assignment compares it with the one handed in."""
    if course.assignment.execution.mode != "both" or models.handed_in(submission, course.assignment.handin) is None:
        return None
    made, limits = models.made(submission, executed, course.workplace.store), course.assignment.limits
    results: dict[str, Any] = {}

    def stage(name: str, value: type[T], inputs: object, work: Callable[[], StageResult[T]]) -> Any:
        results[name], _ = guarded(
            submission.id, name, value, inputs, work, cache=course.cache, progress=course.progress, limits=limits
        )
        return results[name]

    if made is not None:
        conversion, predicted = _answered(made, stage, course)
        _scored(conversion, predicted, None, stage, course)
    evaluated = results.get("evaluate")
    return evaluated.value if isinstance(evaluated, Done) else None


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
    made_a_model = bool(models.produced(executed))
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


def _software(submission: Submission, course: Course) -> Software:
    """What the hand-in's notebook runs with."""
    if submission.notebook is None:
        return TORCH
    imports = imported_modules(submission.root / submission.notebook)
    return choose(imports, allowed(course.assignment), course.workplace.sandbox)


def _why_not_run(assignment: Assignment) -> Skipped | None:
    """Why the assignment has no notebook run; None when it has."""
    if assignment.handin.notebook == "ignored":
        return Skipped(reason="This assignment does not look at notebooks.")
    if assignment.execution.mode == "as-handed-in":
        return Skipped(reason="This assignment grades the notebook as it was handed in, without running it.")
    return None


def _model_to_grade(submission: Submission, executed: StageResult[Execution], course: Course) -> HandedModel | None:
    """The model that the notebook made, else the one handed in; the other way round where both are compared."""
    made = models.made(submission, executed, course.workplace.store)
    handed_in = models.handed_in(submission, course.assignment.handin)
    return (handed_in or made) if course.assignment.execution.mode == "both" else (made or handed_in)
