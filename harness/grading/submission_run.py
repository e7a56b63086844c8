"""One submission through the stages: what runs, what it reads, and what runs again after a change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from harness.boundary.one_by_one import Defect
from harness.findings import Finding, finding
from harness.grading import withheld_split as own
from harness.grading.context import RunContext
from harness.grading.grounds import grounds, own_reference
from harness.grading.model_run import NO_MODEL, ModelStages
from harness.grading.scene_variety import beside_the_courses
from harness.inputs.assignment import Assignment
from harness.inputs.images import HeldOutSet
from harness.inputs.submission import Submission
from harness.stages import model_selection as models
from harness.stages.audit.stage import AuditRules, audit
from harness.stages.benchmark import benchmark
from harness.stages.evaluate.score import same_answers
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.benchmark import Benchmark
from harness.stages.evidence.conversion import Conversion
from harness.stages.evidence.evaluation import Evaluation
from harness.stages.evidence.execution import Execution
from harness.stages.evidence.own_data import OwnData
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.reading import NotebookReading
from harness.stages.evidence.stage_result import Done, Skipped, StageResult
from harness.stages.evidence.submission import STAGES, Evidence, RerunMade
from harness.stages.execute.environment import for_notebook
from harness.stages.execute.stage import execute
from harness.stages.read_notebook import read
from harness.stages.reported_accuracy import against_measurement
from harness.stages.runner import guarded, lost_to


@dataclass(frozen=True, slots=True)
class Examined:
    """A submission and what was found out about it; `cached` names the stages that an earlier run did."""

    submission: Submission
    evidence: Evidence
    cached: frozenset[str] = field(default_factory=frozenset)
    held_out: HeldOutSet | None = None  # what it was graded on, where that is not the course's


def examine(submission: Submission, run_context: RunContext) -> Examined:
    """The submission through all stages but the benchmark, which is `Skipped` until `time_model`.

    Raises `MachineError` when the machine, a full disk say, cannot go on, and `RunStopped` when the run is being
    ended. What else it raises is a defect of ours: `harness/grading` sees to it that no other submission suffers.
    """
    run = _Run(submission, run_context)
    run.read()
    with grounds(submission, run.audit(), run_context) as (graded_on, ground):
        run.run_context, run.ground = graded_on, ground
        executed = run.execute()
        run.answer(models.to_grade(submission, executed, run_context.assignment, run_context.stage_context.store))
        run.inspect()
        run.stress()
        run.evaluate()
        run.conclude()
        run.boards()
        rerun, rerun_made = run.rerun_to_compare(executed)
        own_data, later = run.own_data(run_context) if ground is not None else (None, ())
    run_context.progress.submission_ended(submission.id)
    evidence = Evidence(
        **run.results,
        benchmark=Skipped(reason="The speed was not measured yet."),
        own=own_data,
        rerun=rerun,
        rerun_made=rerun_made,
        intake_findings=(*submission.findings, *_beside_the_stages(submission, executed, run_context)),
        later_findings=later,
    )
    claims = against_measurement(evidence)
    evidence = evidence.model_copy(update={"intake_findings": (*evidence.intake_findings, *claims)})
    held_out = ground.held_out if ground is not None and not run_context.assignment.has_shared_set else None
    return Examined(submission, evidence, frozenset(run.cached), held_out)


def unexamined(submission: Submission, found: Defect) -> Examined:
    """A submission that the harness failed to examine: every stage was lost to it."""
    stages = dict.fromkeys(STAGES, lost_to(found))
    return Examined(submission, Evidence.model_validate({**stages, "intake_findings": submission.findings}))


def with_defect(one: Examined, found: Defect) -> Examined:
    """The same submission, with what the harness failed in beside its stages."""
    evidence = one.evidence
    changes = {
        "later_findings": (*evidence.later_findings, found.finding),
        "trouble": f"{evidence.trouble}{found.log}\n",
    }
    return replace(one, evidence=evidence.model_copy(update=changes))


class _Run(ModelStages):
    """One submission's way through all stages but the benchmark."""

    def __init__(self, submission: Submission, run_context: RunContext) -> None:
        super().__init__(submission, run_context)
        self.ground: own.Ground | None = None  # what is withheld of its own data set

    def read(self) -> None:
        """The notebook as it was handed in, not run."""
        submission, assignment, context = self.submission, self.run_context.assignment, self.run_context.stage_context
        self.stage(
            "read",
            NotebookReading,
            [submission.sha256, assignment.handin, assignment.notebook, assignment.limits],
            lambda: (
                read(submission, assignment.notebook, context)
                if assignment.handin.notebook != "ignored"
                else Skipped(reason="This assignment does not look at notebooks.")
            ),
        )

    def audit(self) -> StageResult[DatasetAudit]:
        """The student's own data set; before the notebook runs, which may see a part of it only."""
        submission, assignment, context = self.submission, self.run_context.assignment, self.run_context.stage_context
        rules = AuditRules(assignment.own_dataset, assignment.withholds, self.run_context.embedder)
        result: StageResult[DatasetAudit] = self.stage(
            "audit",
            DatasetAudit,
            [submission.sha256, assignment.handin, assignment.limits, rules.key(), self.run_context.training.sha256],
            lambda: (
                beside_the_courses(audit(submission, rules, context), rules, self.run_context)
                if assignment.handin.dataset != "ignored"
                else Skipped(reason="This assignment does not look at data sets.")
            ),
        )
        return result

    def execute(self) -> StageResult[Execution]:
        """The notebook as handed in; or, where a part of the data set is withheld, on the rest of it."""
        submission, run_context, ground = self.submission, self.run_context, self.ground
        assignment, hub = run_context.assignment, run_context.weights.hub
        dataset, rules = assignment.dataset, assignment.execution
        software = for_notebook(submission, assignment, run_context.stage_context.sandbox)
        context = run_context.stage_context.using(software)
        inputs: list[object] = [
            submission.sha256,
            run_context.training.sha256,
            dataset and dataset.model_dump(exclude={"path"}),
            rules,
            assignment.handin,
            run_context.weights.sha256,
            context.software_id,
            assignment.limits,
        ]
        if assignment.withholds:
            inputs += [assignment.own_dataset, ground and (ground.held_out.sha256, ground.training_sha256)]

        def work() -> StageResult[Execution]:
            if (why_not := _why_not_run(assignment, ground)) is not None:
                return why_not
            if ground is not None and submission.notebook is not None:
                place = own.rerun_context(context, assignment.own_dataset)
                return own.rerun(ground, rules, assignment.own_dataset, hub, place)
            return execute(submission, dataset, rules, hub, context)

        result: StageResult[Execution] = self.stage("execute", Execution, inputs, work)
        return result

    def rerun_to_compare(self, executed: StageResult[Execution]) -> tuple[Evaluation | None, RerunMade | None]:
        """The score of the model that the run made, where the assignment compares it with a graded one handed in,
        and what that model is."""
        submission, assignment = self.submission, self.run_context.assignment
        store = self.run_context.stage_context.store
        if assignment.withholds or assignment.execution.mode != "both":
            return None, None
        if models.handed_in(submission, assignment.handin) is None:
            return None, None
        made = models.made(submission, executed, store)
        if made is None:
            return None, "nothing" if isinstance(executed, Done) else None
        beside = ModelStages(submission, self.run_context)
        beside.answer(made)
        beside.evaluate()
        ours, theirs = beside.value("predict", Predictions), self.value("predict", Predictions)
        is_same = ours is not None and theirs is not None and same_answers(ours, theirs, store)
        return beside.value("evaluate", Evaluation), "same-answers" if is_same else "another"

    def own_data(self, run_context: RunContext) -> tuple[OwnData | None, tuple[Finding, ...]]:
        """The scores on the withheld images: of the rerun's model, and of the one that was handed in."""
        assert self.ground is not None
        trained = self.run_context.reference
        if run_context.assignment.has_shared_set:
            trained = own_reference(self.results["audit"].value, self.ground, run_context)
        return own.own_data(
            self.submission,
            self.ground,
            self.value("convert", Conversion),
            models.handed_in(self.submission, run_context.assignment.handin),
            trained,
            run_context.weights.hub,
            run_context.weights.sha256,
            run_context.stage_context,
            run_context.cache,
            run_context.progress,
        )


def time_model(examined: Examined, run_context: RunContext) -> Examined:
    """The same submission with its benchmark; call it when nothing else runs."""
    evidence, submission = examined.evidence, examined.submission
    converted, predicted = evidence.convert, evidence.predict
    rules, context = run_context.assignment.benchmark, run_context.stage_context

    def work() -> StageResult[Benchmark]:
        if not isinstance(converted, Done) or not isinstance(predicted, Done):
            return NO_MODEL
        with grounds(submission, evidence.audit, run_context) as (graded_on, _):
            reference = graded_on.reference
            return benchmark(
                converted.value,
                reference.conversion if reference else None,
                predicted.value,
                graded_on.staged,
                rules,
                context,
            )

    inputs = [
        converted.value if isinstance(converted, Done) else None,
        predicted.value.probabilities if isinstance(predicted, Done) else None,
        run_context.reference.conversion.model if run_context.reference else None,
        evidence.own.reference.conversion.model if evidence.own else None,  # the one where the course has none
        run_context.staged.sha256,
        examined.held_out.sha256 if examined.held_out else None,
        rules,
        run_context.assignment.limits,
    ]
    result, was_cached = guarded(
        submission.id,
        "benchmark",
        Benchmark,
        inputs,
        work,
        cache=run_context.cache,
        progress=run_context.progress,
        limits=run_context.assignment.limits,
    )
    return replace(
        examined,
        evidence=evidence.model_copy(update={"benchmark": result}),
        cached=examined.cached | ({"benchmark"} if was_cached else set()),
    )


def _why_not_run(assignment: Assignment, ground: own.Ground | None) -> Skipped | None:
    """Why no notebook is run; None when it is."""
    if assignment.handin.notebook == "ignored":
        return Skipped(reason="This assignment does not look at notebooks.")
    if assignment.execution.mode == "as-handed-in":
        return Skipped(reason="This assignment grades the notebook as it was handed in, without running it.")
    if assignment.withholds and ground is None:
        return Skipped(reason="There is no data set of which a part could be withheld, so the notebook was not run.")
    return None


def _beside_the_stages(
    submission: Submission, executed: StageResult[Execution], run_context: RunContext
) -> list[Finding]:
    """Parts that the assignment requires and nobody handed in or made, and a run without a sandbox."""
    made_a_model = bool(models.produced(executed))
    there = {
        "notebook": submission.notebook is not None,
        "model": submission.model is not None or made_a_model,
        "dataset": submission.dataset is not None,
    }
    wanted = run_context.assignment.handin.model_dump()
    findings = [finding("part-missing", part=part) for part in there if wanted[part] == "required" and not there[part]]
    if run_context.stage_context.sandbox.name == "none":
        findings.append(finding("sandbox-off"))
    return findings
