"""A mark that a person gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GivenFor = Literal["this", "other content", "unknown", "one of several"]


@dataclass(frozen=True, slots=True)
class ManualMark:
    """Points, why, and by whom.

    `given_for` says what the person marked: `this` content of the submission; another content of it; content that an
    older version of the harness did not record; or one of several submissions that cannot be distinguished.
    Only a mark for `this` counts. The others wait until a person marks again.
    """

    points: float
    reason: str
    marker: str
    given_for: GivenFor = "this"

    @property
    def counts(self) -> bool:
        return self.given_for == "this"
