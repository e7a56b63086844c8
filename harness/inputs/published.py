"""What the scores of a reference have in common, as students get them, for classification and for detection."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Published(BaseModel):
    """Base of what stands in the scores: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class ReferenceLatency(Published):
    """The time of one prediction of the reference, on the instructor's machine."""

    machine: str = Field(max_length=200)  # a title of the machine, for people
    p50_ms: Milliseconds
    p90_ms: Milliseconds


class ReferenceOnBoard(Published):
    """The reference's predicted time on a board."""

    board: str = Field(max_length=200)  # its title, as in `BoardLatency`
    runtime: str = Field(max_length=60)
    precision: str = Field(max_length=20)
    latency_ms: Milliseconds
    interval_90: tuple[Milliseconds, Milliseconds]
