"""The result of a stage: its value and findings, or why there is no value, and its resource use.

A `reason` is in the harness's own words, and the student may read it. Text from the student's code (an exception,
standard error, a refusal) is the `detail`. It may contain anything that this code saw, so only the instructor reads it,
unless the stage saw nothing secret and calls `told_to_student`.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from harness.findings import Finding, sentence, with_detail
from harness.stages.evidence.record import Record

T = TypeVar("T")
FailedStatus = Literal["failed", "timeout", "memory", "killed", "rejected"]
# Where a stage's value comes from. `measured-outside`: the harness computed it from answers only. `measured-inside`: a
# program in the sandbox measured it that runs no student code. `self-reported`: a process with student code sent it.
EvidenceOrigin = Literal["measured-outside", "measured-inside", "self-reported"]
StageStatus = Literal["ok", "failed", "timeout", "memory", "killed", "rejected", "skipped", "cached"]


class Usage(Record):
    """A stage's resource use."""

    seconds: float = 0.0
    peak_memory_bytes: int | None = None
    cores_left: float | None = None  # cores that other work left on average; None when not known
    log: str = ""  # what the sandbox wrote to stderr, capped; for the instructor
    log_is_told: bool = False  # whether the student may read it


class Ended(Record):
    """The fields of every stage result."""

    findings: tuple[Finding, ...] = ()
    usage: Usage = Usage()


class Done(Ended, Generic[T]):
    """The stage succeeded: it has a value, and perhaps findings.

    A value without a stated origin counts as self-reported, which earns no points.
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
# Findings of a stage that the machine or the harness lost, which says nothing about model or notebook.
NOT_THE_STUDENTS = frozenset(
    ("engine-failed", "harness-defect", "machine-busy", "environment-missing", "weights-missing")
)
R = TypeVar("R", bound=Ended)


def told_to_student(result: R) -> R:
    """The same result, with every detail moved into the text for the student, who may also read the log.

    Only for a stage whose sandbox held no held-out or withheld image.
    """
    changes: dict[str, object] = {
        "findings": tuple(found.told_to_student() for found in result.findings),
        "usage": result.usage.model_copy(update={"log_is_told": True}),
    }
    if isinstance(result, WithoutValue):
        changes |= {"reason": result.whole_reason, "detail": ""}
    return result.model_copy(update=changes)
