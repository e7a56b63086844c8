"""The stage `audit`: the hand-in's own data set, by class folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.evidence import DatasetAudit, Done, Failed, Skipped, StageResult
from harness.findings import finding
from harness.stages.workplace import Rejected, Workplace, failed, read_reply, usage
from harness.submission import Submission

_Name = Annotated[str, Field(max_length=200)]


class _Reply(BaseModel):
    """audit.json, as `harness/agent/audit.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    classes: dict[_Name, Annotated[int, Field(ge=1)]] = Field(max_length=10_000)
    unreadable: tuple[_Name, ...] = Field(max_length=100)
    unreadable_count: int = Field(ge=0)


def audit(submission: Submission, workplace: Workplace) -> StageResult[DatasetAudit]:
    """How many pictures of each class there are; `Skipped` when no `dataset/` was handed in."""
    if submission.dataset is None:
        return Skipped(reason="No data set was handed in.")
    with tempfile.TemporaryDirectory(prefix="harness-audit-") as folder:
        inputs = {"dataset": submission.root / submission.dataset}
        outcome = workplace.run("audit", {}, inputs, Path(folder))
        if outcome.status != "ok":
            return failed(outcome, "Reading the data set", workplace.limits)
        try:
            reply = read_reply(Path(folder), "audit.json", _Reply)
        except Rejected as rejected:
            return Failed(status="rejected", reason=f"The audit sent something unusable: {rejected}.")
    count = reply.unreadable_count
    return Done(
        value=DatasetAudit(classes=reply.classes, unreadable=reply.unreadable),
        findings=(finding("dataset-unreadable-images", count=count),) if count else (),
        usage=usage(outcome),
    )
