"""One submission through the stages: what runs, what it reads, and what runs again after a change."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from harness import own
from harness.assignment import Assignment
from harness.cache import StageCache
from harness.errors import MachineError
from harness.evidence import (
    Benchmark,
    Conversion,
    DatasetAudit,
    Done,
    Evaluation,
    Evidence,
    Execution,
    Inspection,
    OwnData,
    Predictions,
    Reference,
    Skipped,
    StageResult,
)
from harness.findings import Finding, finding
from harness.graded_model import handed_in_model, model_to_grade, no_model, produced
from harness.guard import guarded
from harness.images import HeldOutSet, StagedImages
from harness.progress import Progress
from harness.score import score
from harness.stages.audit import AuditRules, audit
from harness.stages.benchmark import benchmark
from harness.stages.convert import convert
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
    held_out: HeldOutSet  # empty, as are the next three, when each is graded on withheld pictures of its own
    staged: StagedImages
    training: TrainingPictures
    weights: Weights
    reference: Reference | None
    embedder: Path | None  # MobileNetV2's weights for comparing students' pictures, where they are here
    workplace: Workplace
    cache: StageCache
    progress: Progress


@dataclass(frozen=True, slots=True)
class Examined:
    """A hand-in and what was found out about it; `cached` names the stages that an earlier run did."""

    submission: Submission
    evidence: Evidence
    cached: frozenset[str] = field(default_factory=frozenset)
    held_out: HeldOutSet | None = None  # what it was graded on, where that is not the course's


def examine(submission: Submission, course: Course) -> Examined:
    """The hand-in through all stages but the benchmark, which is `Skipped` until `time_model`.

    Never raises for anything that a student handed in. Raises `MachineError` when the machine, a full
    disk say, cannot go on, and `RunStopped` when the run is being ended.
    """
    assignment = course.assignment
    rules = AuditRules(assignment.own_dataset, assignment.withholds, course.embedder)
    audited, was_cached = guarded(
        submission.id,
        "audit",
        DatasetAudit,
        [submission.sha256, assignment.handin, assignment.limits, rules.key()],
        lambda: (
            audit(submission, rules, course.workplace)
            if assignment.handin.dataset != "ignored"
            else Skipped(reason="This assignment does not look at data sets.")
        ),
        cache=course.cache,
        progress=course.progress,
        limits=course.assignment.limits,
    )
    with _grounds(submission, audited, course) as (graded_on, ground):
        run = _Run(submission, graded_on, ground, {"audit": audited}, {"audit"} if was_cached else set())
        run.stages()
        own_data, found = run.own_data(course) if ground is not None else (None, ())
    course.progress.submission_ended(submission.id)
    evidence = Evidence(
        **run.results,
        own=own_data,
        intake_findings=(*submission.findings, *_beside_the_stages(submission, run.results["execute"], course)),
        later_findings=found,
    )
    held_out = ground.held_out if ground is not None and not assignment.has_shared_set else None
    return Examined(submission, evidence, frozenset(run.cached), held_out)


@contextlib.contextmanager
def _grounds(
    submission: Submission, audited: StageResult[DatasetAudit], course: Course
) -> Iterator[tuple[Course, own.Ground | None]]:
    """The course as this hand-in is graded in it, and what is withheld of its own data set, if anything is."""
    value = audited.value if isinstance(audited, Done) else None
    if not course.assignment.withholds or value is None or not own.can_be_graded(value):
        yield course, None
        return
    with own.laid_out(submission, value, course.assignment, course.workplace) as ground:
        if course.assignment.has_shared_set:
            yield course, ground
            return
        trained = _own_reference(value, ground, course)
        training = TrainingPictures(ground.training_sha256, ground.check_images)
        yield (
            replace(course, held_out=ground.held_out, staged=ground.staged, training=training, reference=trained),
            ground,
        )


def _own_reference(audited: DatasetAudit, ground: own.Ground, course: Course) -> Reference | None:
    """The reference for this data set; None when it cannot be trained on it, which is said in the log."""
    weights = course.weights.files[course.assignment.reference.weights_name]
    try:
        return own.train_reference(
            ground, audited, course.assignment, weights, course.workplace, course.cache, course.progress
        )
    except MachineError as error:
        course.progress.say(f"No reference for one data set: {error.message.splitlines()[0]}")
        return None


class _Run:
    """One hand-in's way through the stages: their results, and which of them an earlier run did."""

    def __init__(
        self,
        submission: Submission,
        course: Course,
        ground: own.Ground | None,
        results: dict[str, Any],
        cached: set[str],
    ) -> None:
        self.submission, self.course, self.ground = submission, course, ground
        self.results, self.cached = results, cached

    def _stage(self, name: str, value: type[T], inputs: object, work: Callable[[], StageResult[T]]) -> Any:
        result, was_cached = guarded(
            self.submission.id,
            name,
            value,
            inputs,
            work,
            cache=self.course.cache,
            progress=self.course.progress,
            limits=self.course.assignment.limits,
        )
        self.results[name] = result
        if was_cached:
            self.cached.add(name)
        return result

    def stages(self) -> None:
        """Every stage after the audit and before the benchmark."""
        submission, course = self.submission, self.course
        assignment, workplace = course.assignment, course.workplace
        limits = assignment.limits
        executed = self._execute()
        model = model_to_grade(submission, executed, assignment, workplace.store)
        converted = self._stage(
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
                else no_model(assignment)
            ),
        )
        conversion = converted.value if isinstance(converted, Done) else None

        def with_model(work: Callable[[Conversion], StageResult[T]]) -> Callable[[], StageResult[T]]:
            def run() -> StageResult[T]:
                return work(conversion) if conversion else Skipped(reason="There is no usable model.")

            return run

        predicted = self._stage(
            "predict",
            Predictions,
            [conversion, course.staged.sha256, course.weights.sha256, limits],
            with_model(lambda model: predict(model, course.staged, workplace)),
        )
        self._stage(
            "inspect",
            Inspection,
            [conversion, course.weights.sha256, limits],
            with_model(lambda model: inspect(model, course.weights.files, workplace)),
        )
        compared_with = course.reference.predictions if course.reference else None
        self._stage(
            "evaluate",
            Evaluation,
            [
                predicted.value if isinstance(predicted, Done) else None,
                course.held_out.sha256,
                compared_with,
                conversion.preprocess if conversion else None,
            ],
            lambda: (
                score(predicted.value, course.held_out, compared_with, workplace.store)
                if isinstance(predicted, Done)
                else Skipped(reason="There are no predictions to score.")
            ),
        )
        self.results["benchmark"] = Skipped(reason="The speed was not measured yet.")

    def _execute(self) -> Any:
        """The notebook as handed in; or, where a part of the data set is withheld, on the rest of it."""
        submission, course, ground = self.submission, self.course, self.ground
        assignment, weights = course.assignment, course.weights
        if assignment.handin.notebook == "ignored":
            return self._stage("execute", Execution, [], lambda: Skipped(reason="This assignment ignores notebooks."))
        if assignment.withholds and ground is None:
            reason = "There is no data set of which a part could be withheld, so the notebook was not run."
            return self._stage("execute", Execution, [], lambda: Skipped(reason=reason))
        dataset, workplace = assignment.dataset, course.workplace
        inputs: list[object] = [
            submission.sha256,
            course.training.sha256,
            dataset and dataset.mounted_as,
            assignment.execution,
            assignment.handin,
            weights.sha256,
            assignment.limits,
        ]
        if ground is not None and ground.rerun is not None:
            asked = assignment.own_dataset
            rerun_place = own.rerun_workplace(workplace, asked)
            inputs += [ground.held_out.sha256, ground.training_sha256, asked]
            return self._stage(
                "execute",
                Execution,
                inputs,
                lambda: own.rerun(ground, assignment.execution, asked, weights.hub, rerun_place),
            )
        return self._stage(
            "execute",
            Execution,
            inputs,
            lambda: execute(submission, dataset, assignment.execution, weights.hub, workplace),
        )

    def own_data(self, course: Course) -> tuple[OwnData | None, tuple[Finding, ...]]:
        """The scores on the withheld pictures: of the rerun's model, and of the one that was handed in."""
        assert self.ground is not None
        trained = self.course.reference
        if course.assignment.has_shared_set:
            trained = _own_reference(self.results["audit"].value, self.ground, course)
        converted = self.results["convert"]
        handed_in = handed_in_model(self.submission) if course.assignment.handin.model != "ignored" else None
        return own.own_data(
            self.ground,
            converted.value if isinstance(converted, Done) else None,
            handed_in,
            trained,
            course.weights.hub,
            course.workplace,
            course.cache,
        )


def time_model(examined: Examined, course: Course) -> Examined:
    """The same hand-in with its benchmark; call it when nothing else runs."""
    evidence, submission = examined.evidence, examined.submission
    converted, predicted = evidence.convert, evidence.predict
    rules, workplace = course.assignment.benchmark, course.workplace

    def work() -> StageResult[Benchmark]:
        if not isinstance(converted, Done) or not isinstance(predicted, Done):
            return Skipped(reason="There is no usable model.")
        with _grounds(submission, evidence.audit, course) as (graded_on, _):
            reference = graded_on.reference
            return benchmark(
                converted.value,
                reference.conversion if reference else None,
                predicted.value,
                graded_on.staged,
                rules,
                workplace,
            )

    inputs = [
        converted.value if isinstance(converted, Done) else None,
        predicted.value.probabilities if isinstance(predicted, Done) else None,
        course.reference.conversion.model if course.reference else None,
        course.staged.sha256,
        examined.held_out.sha256 if examined.held_out else None,
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
    made_a_model = bool(produced(executed))
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
