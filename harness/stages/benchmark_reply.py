"""What the phase `benchmark` sends, and what several sandboxes of it measured together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.stages.evidence.benchmark import CheckedAnswers, TimedPartName
from harness.stages.evidence.stage_result import Usage
from harness.stages.paired_ratio import FEWEST_PAIRS, MOST_PAIRS, Spans
from harness.stages.timed_answers import MOST_INPUTS, Groups, Operators

_MOST_ROWS = 100  # boxes of an answer, as `harness/agent/timing/timed_detector.py` has it

Role = Literal["model", "reference"]


class BoxGroups(Groups):
    """Groups of equal answers of a detector: also how many boxes each has, and how many answers are in no group."""

    rows: Annotated[tuple[Annotated[int, Field(ge=0, le=_MOST_ROWS)], ...], Field(max_length=16 * MOST_INPUTS)]
    others: int = Field(ge=0, le=10**7)

    @model_validator(mode="after")
    def _as_many(self) -> BoxGroups:
        if len(self.rows) != len(self.inputs):
            raise ValueError("inputs and rows are not of the same groups")
        return self


class BenchmarkReply(BaseModel):
    """benchmark.json, as `harness/agent/phases/benchmark.py` sends it."""

    model_config = ConfigDict(extra="forbid")

    processes: dict[
        Role, Annotated[tuple[Annotated[int, Field(ge=1, le=100_064)], ...], Field(min_length=1, max_length=MOST_PAIRS)]
    ]  # how many queries each was asked
    answers: dict[Role, BoxGroups | Groups]
    stateful: dict[Role, Operators]
    peak_memory_bytes: dict[Role, Annotated[int, Field(ge=0)]]
    warm_up_seconds: float = Field(ge=0, allow_inf_nan=False)
    images: int = Field(ge=1, le=MOST_INPUTS)  # how many of the list's first images the queries used
    engine: str = Field(pattern=r"^[\w. +-]{1,80}$")

    @model_validator(mode="after")
    def _alike(self) -> BenchmarkReply:
        roles = [set(said) for said in (self.processes, self.peak_memory_bytes, self.answers, self.stateful)]
        if any(said != roles[0] for said in roles) or "model" not in self.processes:
            raise ValueError("its figures are not of the same models")
        if len({len(queries) for queries in self.processes.values()}) != 1:
            raise ValueError("the models had different numbers of processes")
        if "reference" in self.processes and len(self.processes["reference"]) < FEWEST_PAIRS:
            raise ValueError("one pair has no spread")
        return self


@dataclass(frozen=True, slots=True)
class Timed:
    """What one sandbox measured, checked; or several together."""

    reply: BenchmarkReply  # of the first
    spans: dict[Role, Spans]
    answers: tuple[CheckedAnswers, ...]  # by sandbox
    peak_memory_bytes: dict[Role, int]
    warm_up_seconds: float
    usage: Usage
    parts: Mapping[TimedPartName, Mapping[Role, Spans]] = field(default_factory=dict)  # of a detector's queries

    def and_then(self, later: Timed) -> Timed:
        known = [one for one in (self.usage.cores_left, later.usage.cores_left) if one is not None]
        peaks = [one for one in (self.usage.peak_memory_bytes, later.usage.peak_memory_bytes) if one is not None]
        return Timed(
            self.reply,
            {role: spans.and_then(later.spans[role]) for role, spans in self.spans.items()},
            (*self.answers, *later.answers),
            {role: max(bytes, later.peak_memory_bytes[role]) for role, bytes in self.peak_memory_bytes.items()},
            self.warm_up_seconds + later.warm_up_seconds,
            Usage(
                seconds=self.usage.seconds + later.usage.seconds,
                peak_memory_bytes=max(peaks, default=None),
                cores_left=min(known, default=None),
                log=self.usage.log + later.usage.log,
            ),
            {
                part: {role: spans.and_then(later.parts[part][role]) for role, spans in by_role.items()}
                for part, by_role in self.parts.items()
            },
        )
