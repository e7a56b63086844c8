"""What a stage gives back: its value and findings, or whose fault it was that there is none, and what it cost."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from harness.evidence.record import Record
from harness.findings import Finding

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
    log: str = ""  # what the sandbox wrote to stderr, capped


class Done(Record, Generic[T]):
    """The stage did its work: it has a value, and perhaps findings.

    A stage that does not say where its value comes from is taken for self-reported, which earns no points.
    """

    status: Literal["ok"] = "ok"
    value: T
    origin: EvidenceOrigin = "self-reported"
    findings: tuple[Finding, ...] = ()
    usage: Usage = Usage()


class Failed(Record):
    """The hand-in, not the harness, made the stage fail. `reason` is a sentence for the student."""

    status: FailedStatus
    reason: str
    findings: tuple[Finding, ...] = ()
    usage: Usage = Usage()


class Skipped(Record):
    """The stage had nothing to work on."""

    status: Literal["skipped"] = "skipped"
    reason: str
    findings: tuple[Finding, ...] = ()
    usage: Usage = Usage()


StageResult = Done[T] | Failed | Skipped
