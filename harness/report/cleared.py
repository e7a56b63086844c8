"""The sources of one submission's page: complete for the instructor, cleared for the student.

The student's sources hold only the fields that are listed here; no other field is on the student's page. They contain
no other student, nothing about the machine, no text of a phase that saw held-out images, no such image unless the
assignment allows it, and no number so exact that it could leak one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from harness.findings import Finding, said_to_student
from harness.gradebook.results import (
    AssignmentResult,
    InspectionResult,
    Results,
    RunInfo,
    StageSummary,
    SubmissionResult,
)
from harness.report.coarse import benchmark, evaluation, memory, paired_difference, rounded, rounded_interval
from harness.report.detection.coarse import detection, detector
from harness.report.page_sources import OthersImages, PageSources, graded_on, own_images
from harness.report.sources import Sources
from harness.report.thumbnails import NoImages, Thumbnails
from harness.stages.evidence.audit import DatasetAudit, SharedImage
from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.detections import DetectorAnswers
from harness.stages.evidence.detector_reference import DetectorReference
from harness.stages.evidence.own_boxes import OwnBoxes, SeenBoxes
from harness.stages.evidence.own_data import OwnData
from harness.stages.evidence.reference import Reference
from harness.stages.evidence.stage_result import Done, Ended, Failed, Skipped, Usage, WithoutValue
from harness.stages.evidence.submission import Evidence
from harness.stages.latency_statistics import significant

_AUDIT = (
    "classes", "unreadable", "layout", "splits", "unlabelled", "heldout", "near_duplicates", "leaks", "scene_spread",
    "reference_spread", "mislabelled", "two_labels", "box_faults", "blurred", "badly_exposed", "from_elsewhere",
    "smallest", "largest", "aspects", "compared_by", "parts_compared", "labels", "objects", "not_annotated",
    "without_boxes", "looked_at", "unboxed", "samples", "drawn",
)  # fmt: skip
_INSPECTION = (
    "total_parameters", "trainable_parameters", "multiply_adds", "file_bytes", "weights_say", "verdict",
    "self_reported", "backbone", "frozen_layers", "moved_layers", "new_layers", "first_moved_layer", "layers",
    "weights_used", "outputs", "outputs_fit", "head_initialised_as", "scales_its_input", "preprocessing_matches",
    "median_change", "reused_layers", "quantised_layers", "half_layers", "zeros", "new_parameters", "beside_layers",
    "beside_parameters", "normalisations", "moved_normalisations",
)  # fmt: skip
_NOT_SHOWN = Skipped(reason="")
R = TypeVar("R", bound=Ended)


def for_instructor(results: Results, result: SubmissionResult, sources: Sources, image: Thumbnails) -> PageSources:
    """All sources. `image`: from the course's held-out set. Raises `KeyError` for a submission without evidence."""
    evidence = sources.evidence[result.id]
    own_image = own_images(evidence, sources)
    shared_with = {one.other for one in evidence.audit.value.shared} if isinstance(evidence.audit, Done) else set()
    owners = sorted(owner for owner in shared_with if owner in sources.evidence)
    return PageSources(
        audience="instructor",
        results=results.model_copy(update={"submissions": (), "texts": None}),
        result=as_first_made(result, evidence),
        evidence=evidence,
        reference=_reference(evidence, sources),
        detector_reference=_detector_reference(evidence, sources),
        held_out_image=graded_on(evidence, sources, image, own_image),
        own_image=own_image,
        other_image=OthersImages({owner: own_images(sources.evidence[owner], sources) for owner in owners}),
        logs={name: stage.usage.log for name, stage in evidence.stages().items()}
        | ({"beside the stages": evidence.trouble} if evidence.trouble else {}),
        store=sources.store,
    )


def for_student(results: Results, result: SubmissionResult, sources: Sources, image: Thumbnails) -> PageSources:
    """The sources that a student may see. `image`: from the course's held-out set. Raises as `for_instructor`."""
    evidence = sources.evidence[result.id]
    reference = _reference(evidence, sources)
    is_shown = sources.feedback.show_held_out
    withholds = isinstance(evidence.audit, Done) and bool(evidence.audit.value.withheld)
    own_image = own_images(evidence, sources)
    cleared = _evidence(evidence, is_shown)
    return PageSources(
        audience="student",
        results=_run(results),
        result=_result(as_first_made(result, evidence), evidence, is_shown),
        evidence=cleared,
        reference=None if reference is None else _cleared_reference(reference),
        detector_reference=_cleared_detector(_detector_reference(evidence, sources)),
        held_out_image=graded_on(evidence, sources, image, own_image) if is_shown else NoImages(),
        # Some of a data set's images may be withheld; showing only the others would reveal which.
        own_image=own_image if is_shown or not withholds else NoImages(),
        other_image=NoImages(),
        logs={name: stage.usage.log for name, stage in evidence.stages().items() if stage.usage.log_is_told},
        store=sources.store,
    )


def as_first_made(result: SubmissionResult, evidence: Evidence) -> SubmissionResult:
    """The result as the run had it that did the stages: what is kept of it does not make another page."""
    seconds = {name: round(stage.usage.seconds, 3) for name, stage in evidence.stages().items()}
    stages = {
        name: stage.model_copy(
            update={
                "status": "ok" if stage.status == "cached" else stage.status,
                "seconds": seconds.get(name, stage.seconds),
                "cached": False,
            }
        )
        for name, stage in result.stages.items()
    }
    return result.model_copy(update={"stages": stages})


def _reference(evidence: Evidence, sources: Sources) -> Reference | None:
    return sources.reference or (evidence.own.reference if evidence.own else None)


def _detector_reference(evidence: Evidence, sources: Sources) -> DetectorReference | None:
    return sources.detector_reference or (evidence.own_boxes.reference if evidence.own_boxes else None)


# --- what a student may see -----------------------------------------------------------------------


def _run(results: Results) -> Results:
    return Results(
        schema=1,
        assignment=AssignmentResult(
            title=results.assignment.title,
            task=results.assignment.task,
            file="",
            max_points=results.assignment.max_points,
        ),
        reference=None,
        run=RunInfo(
            harness=results.run.harness,
            sandbox=results.run.sandbox,
            sandbox_reason="",
            not_enforced=(),
            finished=results.run.finished,
        ),
        submissions=(),
    )


def _result(result: SubmissionResult, evidence: Evidence, show_held_out: bool) -> SubmissionResult:
    # The student controls all text and numbers from a process that ran his code beside held-out images.
    runs_as_it_is = isinstance(evidence.convert, Done) and evidence.convert.value.native
    self_said = set(evidence.inspect.findings) if runs_as_it_is else set()
    return SubmissionResult(
        id=result.id,
        student=result.student,
        status=result.status,
        points=result.points,
        max_points=result.max_points,
        points_interval=result.points_interval,
        stages={name: _stage(stage) for name, stage in result.stages.items()},
        evaluation=evaluation(result.evaluation, show_held_out),
        detection=None if result.detection is None else detection(result.detection, show_held_out),
        benchmark=benchmark(result.benchmark),
        inspection=None if runs_as_it_is else _inspection(result.inspection),
        dataset=None if result.dataset is None else _audit(result.dataset),
        own=None,
        own_boxes=None,
        notebook=result.notebook,
        boards=result.boards,
        rerun=evaluation(result.rerun, show_held_out),
        rerun_difference=paired_difference(result.rerun_difference),
        findings=_findings(found for found in result.findings if found not in self_said),
        marks=tuple(
            mark.model_copy(update={"detail": "", "given": 0, "reason": said_to_student(mark.reason)})
            for mark in result.marks
        ),
        members=result.members,
        late_days=result.late_days,
        handed_in=result.handed_in,
        tries=result.tries,
    )


def _findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings without details; those that become equal are kept once."""
    cleared = (
        Finding(code=found.code, severity=found.severity, message=said_to_student(found.message)) for found in findings
    )
    return tuple(dict.fromkeys(cleared))


def _stage(stage: StageSummary) -> StageSummary:
    peak = stage.peak_memory_bytes
    return StageSummary(
        status=stage.status,
        seconds=significant(stage.seconds),
        reason=said_to_student(stage.reason),
        peak_memory_bytes=None if peak is None else memory(peak),
        cached=stage.cached,
    )


def _evidence(evidence: Evidence, show_held_out: bool) -> Evidence:
    """The evidence with values of the stages that the page shows; for other stages only how they ended."""
    audit, evaluate = evidence.audit, evidence.evaluate
    if isinstance(audit, Done):
        audit = audit.model_copy(update={"value": _audit(audit.value)})
    if isinstance(evaluate, Done) and (score := evaluation(evaluate.value, show_held_out)) is not None:
        evaluate = evaluate.model_copy(update={"value": score})
    return Evidence(
        execute=_ended(evidence.execute),
        audit=_ended(audit),
        convert=_ended(evidence.convert),
        predict=_NOT_SHOWN,
        inspect=_NOT_SHOWN,
        evaluate=_ended(evaluate),
        detect=_detector(evidence.detect),
        score_boxes=_scored_boxes(evidence.score_boxes, show_held_out),
        benchmark=_NOT_SHOWN,
        own=_own(evidence.own, show_held_out),
        own_boxes=_own_boxes(evidence.own_boxes),
        read=_ended(evidence.read),
        rerun=evaluation(evidence.rerun, show_held_out),
        rerun_difference=paired_difference(evidence.rerun_difference),
    )


def _ended(result: R) -> R:
    """The result with its value, or the reason why there is none, and nothing else."""
    changes: dict[str, object] = {"findings": (), "usage": Usage()}
    return result.model_copy(
        update={**changes, "detail": "", "reason": said_to_student(result.reason)}
        if isinstance(result, WithoutValue)
        else changes
    )


def _detector(result: Done[DetectorAnswers] | Failed | Skipped) -> Done[DetectorAnswers] | Failed | Skipped:
    ended = _ended(result)
    return ended.model_copy(update={"value": detector(ended.value)}) if isinstance(ended, Done) else ended


def _scored_boxes(
    result: Done[DetectionEvaluation] | Failed | Skipped, show_held_out: bool
) -> Done[DetectionEvaluation] | Failed | Skipped:
    ended = _ended(result)
    if not isinstance(ended, Done):
        return ended
    return ended.model_copy(update={"value": detection(ended.value, show_held_out)})


def _audit(audit: DatasetAudit) -> DatasetAudit:
    """The audit without the owners of shared images, and without the names of withheld ones."""
    shared = {one.picture: SharedImage(picture=one.picture, other="", other_picture="") for one in audit.shared}
    return DatasetAudit(**{name: getattr(audit, name) for name in _AUDIT}, shared=tuple(shared.values()))


def _own(own: OwnData | None, show_held_out: bool) -> OwnData | None:
    if own is None:
        return None
    return OwnData(
        reference=_cleared_reference(own.reference), rerun=evaluation(own.rerun, show_held_out), seen=own.seen
    )


def _own_boxes(own: OwnBoxes | None) -> OwnBoxes | None:
    reference = _cleared_detector(own.reference if own else None)
    if own is None or reference is None:
        return None
    rerun = None if own.rerun is None else detection(own.rerun, show_held_out=False)
    return OwnBoxes(reference=reference, rerun=rerun, seen=own.seen and _seen_boxes(own.seen))


def _seen_boxes(seen: SeenBoxes) -> SeenBoxes:
    return SeenBoxes(
        ap50=rounded(seen.ap50, 3),
        ap50_interval=rounded_interval(seen.ap50_interval),
        difference=rounded(seen.difference, 3),
        difference_interval=rounded_interval(seen.difference_interval),
    )


def _cleared_reference(reference: Reference) -> Reference:
    score = evaluation(reference.evaluation, show_held_out=False)
    assert score is not None
    return reference.model_copy(update={"evaluation": score})


def _cleared_detector(reference: DetectorReference | None) -> DetectorReference | None:
    if reference is None:
        return None
    return DetectorReference(
        backbone=reference.backbone,
        answers=detector(reference.answers),
        evaluation=detection(reference.evaluation, show_held_out=False),
        training_seconds=0.0,
        seed=reference.seed,
    )


def _inspection(inspection: InspectionResult | None) -> InspectionResult | None:
    """The inspection if the model is an ONNX graph, which the harness's own code analysed."""
    if inspection is None:
        return None
    return InspectionResult(**{name: getattr(inspection, name) for name in _INSPECTION}, uncounted_operators=())
