"""The request of the stage `audit`: a submission's data set, and the assignment's requirements."""

from __future__ import annotations

from dataclasses import dataclass

from harness.findings import sentence
from harness.inputs.assignment.sections import HandIn
from harness.inputs.submission import Submission
from harness.stages.audit.stage import AuditRules, audit
from harness.stages.context import StageContext
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.stage_result import Skipped, StageResult
from harness.stages.stage import Stage


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """A submission's data set, and the requirements on it."""

    submission: Submission
    wanted: HandIn
    rules: AuditRules


def _audit(request: AuditRequest, context: StageContext) -> StageResult[DatasetAudit]:
    if request.wanted.dataset == "ignored":
        return Skipped(reason=sentence("data-sets-not-asked"))
    return audit(request.submission, request.rules, context)


AUDIT = Stage("audit", DatasetAudit, _audit, sees_no_secret=True)
