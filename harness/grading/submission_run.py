"""Runs one submission through the stages: makes each stage's request, in the order in which they run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from harness.boundary.one_by_one import Defect
from harness.findings import Finding, finding, sentence
from harness.grading.context import GradedOn, RunContext
from harness.grading.detection.detector_run import detect, run_detector, timed_detector, without_graph
from harness.grading.detection.own_boxes import own_boxes
from harness.grading.detection.unboxed_objects import with_unboxed
from harness.grading.model_run import ModelEvidence, run_model, value
from harness.grading.scene_variety import beside_the_courses
from harness.grading.withheld_split import WithheldSplit, opened, own_data
from harness.inputs.assignment import Assignment
from harness.inputs.assignment.schema import Task
from harness.inputs.images import HeldOutSet
from harness.inputs.submission import Submission
from harness.stages import model_selection as models
from harness.stages.audit.request import AUDIT, AuditRequest
from harness.stages.audit.stage import AuditRules
from harness.stages.benchmark import BENCHMARK, BenchmarkRequest
from harness.stages.convert import HandedModel
from harness.stages.detection.benchmark import BENCHMARK_DETECTOR, BenchmarkDetectorRequest
from harness.stages.detection.score_boxes import same_boxes
from harness.stages.evaluate.stage import paired_difference, same_answers
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.benchmark import Benchmark
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.evaluation import Evaluation, PairedDifference
from harness.stages.evidence.execution import Execution, FailedExecution
from harness.stages.evidence.stage_result import Done, Skipped, StageResult
from harness.stages.evidence.submission import OF_ANOTHER_TASK, STAGES, STAGES_OF, Evidence, RerunMade
from harness.stages.execute.environment import allowed, another, for_notebook, kept_imports
from harness.stages.execute.request import EXECUTE, ExecuteRequest
from harness.stages.execute.rerun import rerun_context
from harness.stages.read_notebook import READ, ReadRequest
from harness.stages.reported_accuracy import against_measurement
from harness.stages.runner import StageRunner, lost_to


@dataclass(frozen=True, slots=True)
class Examined:
    """A submission and its evidence; `cached` names the stages that an earlier run did."""

    submission: Submission
    evidence: Evidence
    cached: frozenset[str] = field(default_factory=frozenset)
    held_out: HeldOutSet | None = None  # the set that it was graded on, if that is not the course's


@dataclass(frozen=True, slots=True)
class _ToGrade:
    """A submission's models, the best first, and what they are graded on."""

    submission: Submission
    models: tuple[HandedModel, ...]
    split: WithheldSplit | None
    on: GradedOn


@dataclass(frozen=True, slots=True)
class _Rerun:
    """The model that the run made: its scores, its accuracy minus the handed-in model's, and what it is beside it."""

    scores: Evaluation | None = None
    difference: PairedDifference | None = None
    made: RerunMade | None = None


def examine(submission: Submission, run_context: RunContext) -> Examined:
    """Run the submission through all stages except the benchmark, which is `Skipped` until `time_model`.

    Raises `MachineError` when the machine cannot go on, for example with a full disk, and `RunStopped` when the run is
    being stopped. Any other exception is a defect of ours; the callers in `harness/grading` keep it from the others.
    """
    assignment = run_context.assignment
    runner = run_context.runner(submission.id)
    read = runner.run(READ, ReadRequest(submission, assignment.handin, assignment.notebook))
    audited = _audited(submission, run_context, runner)
    with opened(submission, value(audited), run_context) as split:
        on = _graded_on(split, run_context)
        audited = with_unboxed(audited, on, run_context, runner.aside())
        executed = _executed(submission, split, run_context, runner)
        evidence = Evidence(
            read=read,
            audit=audited,
            execute=executed,
            benchmark=Skipped(reason=sentence("not-timed-yet")),
            intake_findings=(
                *_of_intake(submission, assignment),
                *_beside_the_stages(submission, executed, run_context),
            ),
        )
        candidates = models.to_grade(submission, executed, assignment, run_context.stage_context.store)
        with_model = _with_detector if assignment.task == "detection" else _with_classifier
        evidence = with_model(evidence, _ToGrade(submission, candidates, split, on), run_context, runner)
    claims = against_measurement(evidence)
    evidence = evidence.model_copy(update={"later_findings": (*claims, *evidence.later_findings)})
    held_out = on.held_out if on is not run_context.shared else None
    return Examined(submission, evidence, frozenset(runner.cached), held_out)


def _with_classifier(evidence: Evidence, to_grade: _ToGrade, run_context: RunContext, runner: StageRunner) -> Evidence:
    graded = run_model(to_grade.models, to_grade.on, "whole", run_context, runner)
    rerun = _rerun_to_compare(to_grade.submission, evidence.execute, graded, run_context, runner.aside())
    converted = value(graded.convert)
    own, noticed = own_data(to_grade.submission, to_grade.split, converted, run_context, runner.aside())
    found = {
        "convert": graded.convert,
        "predict": graded.predict,
        "inspect": graded.inspect,
        "stress": graded.robustness,
        "evaluate": graded.evaluate,
        "boards": graded.boards,
        "own": own,
        "rerun": rerun.scores,
        "rerun_difference": rerun.difference,
        "rerun_made": rerun.made,
        "later_findings": noticed,
    }
    return evidence.model_copy(update=found)


def _with_detector(evidence: Evidence, to_grade: _ToGrade, run_context: RunContext, runner: StageRunner) -> Evidence:
    graded = run_detector(to_grade.models, to_grade.on, "whole", run_context, runner)
    answers = value(graded.detect)
    aside = runner.aside()
    own, noticed = own_boxes(to_grade.submission, to_grade.split, to_grade.models, graded, run_context, aside)
    found = {
        "predict": OF_ANOTHER_TASK,
        "stress": OF_ANOTHER_TASK,
        "evaluate": OF_ANOTHER_TASK,
        "detect": graded.detect,
        "convert": graded.convert,
        "inspect": graded.inspect,
        "detect_worse": graded.detect_worse,
        "score_boxes": graded.score_boxes,
        "boards": graded.boards,
        "own_boxes": own,
        "rerun_made": _detector_made_again(to_grade, evidence.execute, answers, run_context, aside),
        "later_findings": noticed,
    }
    return evidence.model_copy(update=found)


def time_model(examined: Examined, run_context: RunContext, anchors: tuple[tuple[float, float], ...] = ()) -> Examined:
    """The same submission with its benchmark; call it when nothing else runs.

    `anchors`: as in `BenchmarkRequest`, from the rubric, whose code decides no stage's result.
    """
    evidence, submission = examined.evidence, examined.submission
    runner = run_context.runner(submission.id)
    with opened(submission, value(evidence.audit), run_context) as split:
        on = _graded_on(split, run_context)
        rules = run_context.assignment.benchmark
        result: StageResult[Benchmark]
        if run_context.assignment.task == "detection":
            model = timed_detector(value(evidence.convert), value(evidence.detect))
            reference = timed_detector(on.detector.conversion, on.detector.answers) if on.detector else None
            asked = BenchmarkDetectorRequest(model, reference, on.staged, rules, anchors)
            timed = runner.run(BENCHMARK_DETECTOR, asked)
            result = without_graph(timed, evidence.detect, evidence.convert)
        else:
            beside = on.reference.conversion if on.reference else None
            converted, predicted = value(evidence.convert), value(evidence.predict)
            request = BenchmarkRequest(converted, predicted, beside, on.staged, rules, anchors)
            result = runner.run(BENCHMARK, request)
    return replace(
        examined,
        evidence=evidence.model_copy(update={"benchmark": result}),
        cached=examined.cached | runner.cached,
    )


def unexamined(submission: Submission, found: Defect, task: Task) -> Examined:
    """A submission that the harness failed to examine: it lost every stage of the task."""
    lost = dict.fromkeys(STAGES_OF[task], lost_to(found))
    stages = {**dict.fromkeys(STAGES, OF_ANOTHER_TASK), **lost}
    return Examined(submission, Evidence.model_validate({**stages, "intake_findings": submission.findings}))


def with_defect(one: Examined, found: Defect) -> Examined:
    """The same submission, with a defect of the harness outside the stages."""
    evidence = one.evidence
    changes = {
        "later_findings": (*evidence.later_findings, found.finding),
        "trouble": f"{evidence.trouble}{found.log}\n",
    }
    return replace(one, evidence=evidence.model_copy(update=changes))


def _graded_on(split: WithheldSplit | None, run_context: RunContext) -> GradedOn:
    """The course's held-out set if it has one, else the images withheld from the student's own."""
    return run_context.shared if split is None or run_context.assignment.has_shared_set else split.graded_on


def _audited(submission: Submission, run_context: RunContext, runner: StageRunner) -> StageResult[DatasetAudit]:
    """The audit of the student's own data set, before the notebook runs, which may see only a part of it."""
    assignment = run_context.assignment
    detection = assignment.task == "detection"
    rules = AuditRules(
        assignment.own_dataset, assignment.withholds, run_context.embedder, detection, searches=detection
    )
    audited = runner.run(AUDIT, AuditRequest(submission, assignment.handin, rules))
    return beside_the_courses(audited, rules, run_context)


def _executed(
    submission: Submission, split: WithheldSplit | None, run_context: RunContext, runner: StageRunner
) -> StageResult[Execution]:
    """Run the notebook as handed in or, where a part of the data set is withheld, on the rest of it."""
    assignment = run_context.assignment
    context = run_context.stage_context
    imports = kept_imports(submission, run_context.cache)
    context = context.using(for_notebook(submission, assignment, context.sandbox, imports))
    training = run_context.shared.training
    if split is not None:
        context = rerun_context(context, assignment.own_dataset)
        training = split.graded_on.training
    request = ExecuteRequest(
        submission,
        assignment.handin,
        assignment.execution,
        training,
        run_context.weights,
        assignment.withholds,
        split.rerun if split is not None else None,
    )
    result = runner.run(EXECUTE, request, context=context)
    if not isinstance(result, FailedExecution):
        return result
    other = another(result, context.software, allowed(assignment), imports)
    if other is not None:
        return runner.run(EXECUTE, request, context=context.using(other))
    return result


def _rerun_to_compare(
    submission: Submission,
    executed: StageResult[Execution],
    graded: ModelEvidence,
    run_context: RunContext,
    runner: StageRunner,
) -> _Rerun:
    """The model that the run made, compared with the handed-in model, which is graded.

    It is empty unless the assignment compares the two, and where the handed-in one could not be graded, so that the
    run's own was: compared with itself it would seem to be made again.
    """
    store, converted = run_context.stage_context.store, value(graded.convert)
    made = _to_compare(submission, executed, converted is not None and converted.by_the_run, run_context)
    if made is None:
        return _Rerun()
    if not made:
        return _Rerun(made="nothing" if isinstance(executed, Done) else None)
    beside = run_model(made, run_context.shared, "answers", run_context, runner)
    ours, theirs = value(beside.predict), value(graded.predict)
    scores = value(beside.evaluate)
    if ours is None or theirs is None:
        return _Rerun(scores, made="another")
    made_again = same_answers(ours, theirs, store)
    difference = paired_difference(ours, theirs, run_context.shared.held_out, store)
    return _Rerun(scores, difference, "same-answers" if made_again else "another")


def _detector_made_again(
    to_grade: _ToGrade,
    executed: StageResult[Execution],
    answers: DetectorAnswers | None,
    run_context: RunContext,
    runner: StageRunner,
) -> RerunMade | None:
    """What the detector that the run made is beside the handed-in one; None where they are not compared."""
    made = _to_compare(to_grade.submission, executed, answers is not None and answers.by_the_run, run_context)
    if made is None:
        return None
    if not made:
        return "nothing" if isinstance(executed, Done) else None
    ours = value(detect(made, run_context.shared, run_context, runner))
    if ours is None or answers is None:
        return "another"
    return "same-answers" if same_boxes(ours, answers, run_context.stage_context.store) else "another"


def _to_compare(
    submission: Submission, executed: StageResult[Execution], by_the_run: bool, run_context: RunContext
) -> tuple[HandedModel, ...] | None:
    """The models that the run made; None where they are not compared with the handed-in one.

    `by_the_run`: whether the graded one is the run's own.
    """
    assignment = run_context.assignment
    if assignment.withholds or assignment.execution.mode != "both" or by_the_run:
        return None
    if not models.handed_in(submission, assignment.handin):
        return None
    return models.made(submission, executed, run_context.stage_context.store)


def _of_intake(submission: Submission, assignment: Assignment) -> tuple[Finding, ...]:
    """The findings of intake, which does not know the task: for detection a predict.py is something to grade."""
    answers = models.answering(submission, assignment)
    return tuple(found for found in submission.findings if not answers or found.code != "nothing-handed-in")


def _beside_the_stages(
    submission: Submission, executed: StageResult[Execution], run_context: RunContext
) -> list[Finding]:
    """Findings about required parts that were neither handed in nor made, and about a run without a sandbox."""
    assignment, made_a_model = run_context.assignment, bool(models.produced(executed))
    there = {
        "notebook": submission.notebook is not None,
        "model": submission.model is not None or made_a_model or bool(models.answering(submission, assignment)),
        "dataset": submission.dataset is not None,
    }
    wanted = assignment.handin.model_dump()
    findings = [finding("part-missing", part=part) for part in there if wanted[part] == "required" and not there[part]]
    if run_context.stage_context.sandbox.name == "none":
        findings.append(finding("sandbox-off"))
    return findings
