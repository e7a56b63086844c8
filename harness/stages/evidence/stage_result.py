"""What a stage gives back: its value and findings, or whose fault it was that there is none, and what it cost.

A `reason` is in the harness's own words and may be read by the student. What the student's own code said, in an
exception, on standard error or in a refusal, is the `detail`: it may hold whatever that code saw, so it is the
instructor's, unless the stage saw nothing that is secret and calls `told_to_student`.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from harness.findings import Finding, sentence, with_detail
from harness.stages.evidence.record import Record

T = TypeVar("T")
FailedStatus = Literal["failed", "timeout", "memory", "killed", "rejected"]
# Who says what a stage found. `measured-outside`: the harness computed it from answers alone. `measured-inside`: a
# program in the sandbox saw it that runs no code of the student's. `self-reported`: a process said it that does.
EvidenceOrigin = Literal["measured-outside", "measured-inside", "self-reported"]
StageStatus = Literal["ok", "failed", "timeout", "memory", "killed", "rejected", "skipped", "cached"]


class Usage(Record):
    """What a stage cost."""

    seconds: float = 0.0
    peak_memory_bytes: int | None = None
    cores_left: float | None = None  # by other work on the machine, on average; None when not known
    log: str = ""  # what the sandbox wrote to stderr, capped; for the instructor
    log_is_told: bool = False  # the student may read it, too


class Ended(Record):
    """What every stage gives back, however it ended."""

    findings: tuple[Finding, ...] = ()
    usage: Usage = Usage()


class Done(Ended, Generic[T]):
    """The stage did its work: it has a value, and perhaps findings.

    A stage that does not say where its value comes from is taken for self-reported, which earns no points.
    """

    status: Literal["ok"] = "ok"
    value: T
    origin: EvidenceOrigin = "self-reported"


class WithoutValue(Ended):
    """Why a stage has no value. `reason` is a sentence for the student."""

    reason: str
    detail: str = ""  # foreign text, for the instructor only

    @property
    def whole_reason(self) -> str:
        """The reason with its detail, for an instructor."""
        return with_detail(self.reason, self.detail)


class Failed(WithoutValue):
    """The submission, not the harness, made the stage fail."""

    status: FailedStatus


class Skipped(WithoutValue):
    """The stage had nothing to work on."""

    status: Literal["skipped"] = "skipped"


StageResult = Done[T] | Failed | Skipped
NO_MODEL = Skipped(reason=sentence("no-usable-model"))
# Findings of a stage that the machine or the harness lost: it says nothing of the model or the notebook.
NOT_THE_STUDENTS = frozenset(
    ("engine-failed", "harness-defect", "machine-busy", "environment-missing", "weights-missing")
)
R = TypeVar("R", bound=Ended)


def told_to_student(result: R) -> R:
    """The same result with every detail in the words that the student reads, who may read the log as well.

    Only for a stage whose sandbox held no held-out or withheld image.
    """
    changes: dict[str, object] = {
        "findings": tuple(found.told_to_student() for found in result.findings),
        "usage": result.usage.model_copy(update={"log_is_told": True}),
    }
    if isinstance(result, WithoutValue):
        changes |= {"reason": result.whole_reason, "detail": ""}
    return result.model_copy(update=changes)
