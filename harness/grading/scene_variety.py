"""The variety of scenes in the course's training images, with which a student's data set is compared."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from harness.grading.context import RunContext
from harness.inputs.assignment.sections import HandIn
from harness.inputs.submission import Submission
from harness.stages.audit.request import AUDIT, AuditRequest
from harness.stages.audit.stage import AuditRules
from harness.stages.evidence.audit import DatasetAudit
from harness.stages.evidence.stage_result import Done, StageResult

_ONCE = threading.Lock()  # submissions are examined in parallel, and all need the same value


def beside_the_courses(
    audited: StageResult[DatasetAudit], rules: AuditRules, run_context: RunContext
) -> StageResult[DatasetAudit]:
    """The audit of a student's data set, with `reference_spread` added where it can be compared."""
    if not isinstance(audited, Done) or not audited.value.scene_spread:
        return audited
    with _ONCE:
        spread = _of_the_course(replace(rules, withholds=False, searches=False), run_context)
    return audited.model_copy(update={"value": audited.value.model_copy(update={"reference_spread": spread})})


def _of_the_course(rules: AuditRules, run_context: RunContext) -> float | None:
    """The mean spread over the course's classes; None without images, or if they cannot be judged."""
    given = run_context.assignment.dataset
    if given is None or given.path is None:
        return None
    place, sha256 = given.path, run_context.shared.training.sha256
    images = Submission("the-course", "", place.parent, None, (), (), Path(place.name), sha256, ())
    audited = run_context.runner(None).run(AUDIT, AuditRequest(images, HandIn(), rules))
    if not isinstance(audited, Done) or not audited.value.scene_spread:
        return None
    return fmean(audited.value.scene_spread.values())
