"""The base class of all evidence, and files in the store.

Records are frozen and refuse unknown fields. A file that a stage made is a `Blob`: its bytes lie in the
store under their SHA-256 (`harness/stages/store.py`), so evidence is plain JSON.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """Base of all evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


Share = Annotated[float, Field(ge=0.0, le=1.0)]
Interval = tuple[float, float]  # lower and upper bound, 95 %


class Blob(Record):
    """A file in the store."""

    name: str  # its name when shown or mounted; safe as a file name
    sha256: str
    bytes: int
