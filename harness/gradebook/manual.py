"""A mark that a person gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

GivenFor = Literal["this", "other content", "unknown", "one of several"]


@dataclass(frozen=True, slots=True)
class Whose:
    """The submission that a person's mark belongs to."""

    id: str  # in this run; another submission may have had it before
    identity: str
    content: str  # SHA-256


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
    number: int = field(default=0, compare=False)  # in the gradebook; 0 for one that is not stored yet
    entered: str = field(default="", compare=False)  # UTC, ISO 8601

    @property
    def counts(self) -> bool:
        return self.given_for == "this"


@dataclass(frozen=True, slots=True)
class Entry:
    """A mark to be stored. `replaces`: the number of the mark that its marker knew of, 0 for none."""

    whose: Whose
    criterion: str  # its title
    mark: ManualMark
    replaces: int


@dataclass(frozen=True, slots=True)
class Overtaken:
    """An entry whose marker did not know of a newer mark."""

    entry: Entry
    newer: ManualMark
