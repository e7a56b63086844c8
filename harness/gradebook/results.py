"""results.json: what outside scripts read, as types. Field names are stable; additions are fine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from harness.boundary.one_by_one import Defect
from harness.findings import Finding
from harness.inputs.submission import MembersFrom, Origin
from harness.stages.evidence.alike import AlikeTexts
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.benchmark import Benchmark, Latency
from harness.stages.evidence.boards import BoardPredictions
from harness.stages.evidence.detection_scores import DetectionEvaluation
from harness.stages.evidence.evaluation import Evaluation, PairedDifference
from harness.stages.evidence.grade import Grade, GradeStatus, Mark
from harness.stages.evidence.inspection import Inspection
from harness.stages.evidence.own_boxes import SeenBoxes
from harness.stages.evidence.own_data import SeenScore
from harness.stages.evidence.reading import NotebookReading
from harness.stages.evidence.record import Interval, Record
from harness.stages.evidence.stage_result import Done, EvidenceOrigin, StageStatus
from harness.stages.evidence.submission import Evidence
from harness.stages.transfer_verdict import Verdict, verdict


class StageSummary(Record):
    """One stage of one submission. `status` is `cached` for a stage that was `ok` in an earlier run."""

    status: StageStatus
    seconds: float
    reason: str
    detail: str = ""  # its own words; for the instructor only
    peak_memory_bytes: int | None
    cached: bool  # taken from an earlier run, whatever its status
    origin: EvidenceOrigin | None = None  # where its value comes from; None without a value


class SubmissionResult(Record):
    """One submission."""

    id: str
    student: str
    status: GradeStatus
    points: float
    max_points: float
    points_interval: Interval | None = None  # 95 %; None where no mark rests on a sample, or one is open
    stages: dict[str, StageSummary]
    evaluation: Evaluation | None
    detection: DetectionEvaluation | None = None  # in place of `evaluation` where the task is detection
    benchmark: Benchmark | None
    inspection: InspectionResult | None
    dataset: DatasetAudit | None
    own: OwnScores | None = None  # on images withheld from the student's own data set
    own_boxes: OwnBoxScores | None = None  # in place of `own` where the task is detection
    notebook: NotebookReading | None = None  # as handed in; self-reported
    boards: BoardPredictions | None = None  # predicted, where the assignment names boards
    rerun: Evaluation | None = None  # scores of the rerun's model, where the handed-in one was graded
    rerun_difference: PairedDifference | None = None  # its accuracy minus the handed-in model's, on the same images
    findings: tuple[Finding, ...]
    same_model_as: tuple[str, ...] = ()  # submissions; for the instructor only
    marks: tuple[Mark, ...]
    members: tuple[str, ...] = ()  # the people in the group, where they are known
    members_from: MembersFrom = ""  # who says so; a notebook says what its author likes
    late_days: int | None = None  # None without a deadline, or if the time is not known
    handed_in: str | None = None  # ISO 8601; without an offset it is the course's local time
    tries: int = 1
    earlier_tries: tuple[str, ...] = ()  # their names, newest first; they were not graded
    source: str = "plain"  # the LMS whose download it came from
    entry: str = ""  # what it is called in the LMS's download
    lms_id: str = ""  # the LMS's own name or number for the student or group
    identity: str = ""  # of the sender, to which a person's marks belong; empty in older files
    content: str = ""  # SHA-256 of the names and contents of all files
    page: str = ""  # what its student's page says in its head that it was made of; empty in older files

    @property
    def is_open(self) -> bool:
        """Whether its points are not final, because a person has to look first."""
        return self.status == "needs-review" or any(mark.points is None for mark in self.marks)


class InspectionResult(Inspection):
    """What the model holds, and the verdict on how it was made."""

    verdict: Verdict


class OwnScores(Record):
    """Scores on the withheld images; `seen` is the handed-in model's, which is never graded."""

    reference_accuracy: float
    rerun: Evaluation | None
    seen: SeenScore | None


class OwnBoxScores(Record):
    """Scores of detectors on the withheld images; `seen` is the handed-in one's, which is never graded."""

    reference_ap50: float | None
    rerun: DetectionEvaluation | None  # without boxes over images
    seen: SeenBoxes | None


class ReferenceResult(Record):
    """The reference, scored as a submission is."""

    backbone: str
    accuracy: float | None  # None where the task is detection
    accuracy_interval: tuple[float, float] | None
    ap50: float | None = None  # where it is
    ap50_interval: tuple[float, float] | None = None
    images: int
    training_seconds: float
    latency: Latency | None

    @property
    def score(self) -> float:
        """Accuracy, or AP50 where the task is detection."""
        return next((value for value in (self.accuracy, self.ap50) if value is not None), 0.0)

    @property
    def score_interval(self) -> tuple[float, float]:
        """The 95 % interval of `score`; all values where it has none."""
        return self.accuracy_interval or self.ap50_interval or (0.0, 1.0)


class AssignmentResult(Record):
    title: str
    task: str
    file: str
    max_points: float


class RunInfo(Record):
    """How this run was made."""

    harness: str  # version
    sandbox: str
    sandbox_reason: str
    not_enforced: tuple[str, ...]
    finished: str  # UTC, ISO 8601
    doubts: tuple[str, ...] = ()  # about the assignment; for the instructor only


class Results(Record):
    """The whole of results.json."""

    schema_: Literal[1] = Field(1, alias="schema")
    assignment: AssignmentResult
    reference: ReferenceResult | None  # None when each submission has a reference of its own
    run: RunInfo
    submissions: tuple[SubmissionResult, ...]
    texts: AlikeTexts | None = None  # which look alike, for the instructor only; None where they were not compared


def submission_result(
    id: str,
    student: str,
    evidence: Evidence,
    grade: Grade,
    cached: frozenset[str],
    origin: Origin = Origin(),  # noqa: B008
    identity: str = "",
    content: str = "",
) -> SubmissionResult:
    """The published result of one submission; `cached` names the stages that an earlier run did."""
    summaries = {}
    for name, result in evidence.stages().items():
        was_cached = name in cached
        summaries[name] = StageSummary(
            status="cached" if was_cached and result.status == "ok" else result.status,
            seconds=0.0 if was_cached else round(result.usage.seconds, 3),
            reason="" if isinstance(result, Done) else result.reason,
            detail="" if isinstance(result, Done) else result.detail,
            peak_memory_bytes=result.usage.peak_memory_bytes,
            cached=was_cached,
            origin=result.origin if isinstance(result, Done) else None,
        )

    return SubmissionResult(
        id=id,
        student=student,
        status=grade.status,
        points=grade.points,
        max_points=grade.max_points,
        points_interval=grade.points_interval,
        stages=summaries,
        evaluation=evidence.evaluate.value if isinstance(evidence.evaluate, Done) else None,
        detection=_box_scores(evidence),
        benchmark=evidence.benchmark.value if isinstance(evidence.benchmark, Done) else None,
        inspection=_inspection(evidence),
        dataset=_published(evidence.audit.value) if isinstance(evidence.audit, Done) else None,
        own=_own_scores(evidence),
        own_boxes=_own_box_scores(evidence),
        notebook=evidence.read.value if isinstance(evidence.read, Done) else None,
        boards=evidence.boards.value if isinstance(evidence.boards, Done) else None,
        rerun=evidence.rerun,
        rerun_difference=evidence.rerun_difference,
        findings=(*evidence.findings(), *grade.findings),
        same_model_as=evidence.same_model_as,
        marks=grade.marks,
        members=origin.members,
        members_from=origin.members_from,
        late_days=grade.late_days,
        handed_in=origin.handed_in.isoformat() if origin.handed_in else None,
        tries=1 + len(origin.earlier),
        earlier_tries=tuple(earlier.label for earlier in origin.earlier),
        source=origin.source,
        entry=origin.entry,
        lms_id=origin.lms_id,
        identity=identity,
        content=content,
    )


def _inspection(evidence: Evidence) -> InspectionResult | None:
    if not isinstance(evidence.inspect, Done):
        return None
    concluded = verdict(evidence.inspect.value, evidence.evaluate, evidence.is_copy)
    return InspectionResult(**dict(evidence.inspect.value), verdict=concluded)


def lost_result(id: str, student: str, max_points: float, findings: tuple[Finding, ...]) -> SubmissionResult:
    """The result of a submission on which the harness failed: names and findings, without points."""
    return SubmissionResult(
        id=id,
        student=as_utf8(student),
        status="needs-review",
        points=0.0,
        max_points=max_points,
        stages={},
        evaluation=None,
        benchmark=None,
        inspection=None,
        dataset=None,
        findings=tuple(found.model_copy(update={"message": as_utf8(found.message)}) for found in findings),
        marks=(),
    )


def with_defects(results: Results, found: Mapping[str, Defect]) -> Results:
    """The results with the harness's defects, by id. These submissions wait for a person; their marks are not final."""
    rows = [_waiting(row, found[row.id]) if row.id in found else row for row in results.submissions]
    return results.model_copy(update={"submissions": tuple(rows)})


def _waiting(row: SubmissionResult, found: Defect) -> SubmissionResult:
    return row.model_copy(update={"status": "needs-review", "findings": (*row.findings, found.finding)})


def as_utf8(text: str) -> str:
    """The text with a question mark for each lone surrogate, which UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode()


def _box_scores(evidence: Evidence) -> DetectionEvaluation | None:
    """The scores without the boxes over held-out images: where objects lie there leaves the evidence on pages alone."""
    if not isinstance(evidence.score_boxes, Done):
        return None
    return evidence.score_boxes.value.model_copy(update={"shown": ()})


def _published(audit: DatasetAudit) -> DatasetAudit:
    """The audit without fields that only later stages need, and without the boxes of withheld images."""
    withheld = tuple(one.model_copy(update={"objects": ()}) for one in audit.withheld)
    unpublished = {"pixels": {}, "labels": {}, "known": (), "searched": (), "drawn": {}, "objects_sha256": ""}
    return audit.model_copy(update={**unpublished, "withheld": withheld})


def _own_scores(evidence: Evidence) -> OwnScores | None:
    if evidence.own is None:
        return None
    own = evidence.own
    return OwnScores(reference_accuracy=own.reference.evaluation.accuracy, rerun=own.rerun, seen=own.seen)


def _own_box_scores(evidence: Evidence) -> OwnBoxScores | None:
    if evidence.own_boxes is None:
        return None
    own = evidence.own_boxes
    rerun = None if own.rerun is None else own.rerun.model_copy(update={"shown": ()})
    return OwnBoxScores(reference_ap50=own.reference.evaluation.scores.ap50, rerun=rerun, seen=own.seen)
