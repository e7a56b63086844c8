"""What an LMS's download says of its hand-ins, before a byte of them is copied."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

_EARLIEST = datetime.datetime.min.replace(tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Piece:
    """A file or folder of an attempt: where it lies, and its path in the hand-in (`""`: a folder's content)."""

    path: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a student or group. A time without a zone is the course's local time."""

    pieces: tuple[Piece, ...]
    label: str  # what it is called for people: a date, a number, a file's name
    at: datetime.datetime | None = None
    said_late: bool = False  # the LMS says that it was late, perhaps without saying when
    order: int = 0  # the LMS's own numbering, where times do not decide

    @property
    def rank(self) -> tuple[datetime.datetime, int, str]:
        """The higher, the newer."""
        at = self.at or _EARLIEST
        return (at if at.tzinfo else at.replace(tzinfo=datetime.UTC), self.order, self.label)


@dataclass(frozen=True, slots=True)
class Delivery:
    """All attempts of one student or group."""

    student: str  # the name for people
    key: str  # what its id is made from: the same in every download, whoever else is in it
    attempts: tuple[Attempt, ...]  # at least one
    entries: frozenset[str]  # the top-level names that it is made of
    why: str  # what it was recognised by, for people
    lms_id: str = ""
    members: tuple[str, ...] = ()
    clock: str = ""  # whose time it is, for people

    @property
    def newest_first(self) -> list[Attempt]:
        return sorted(self.attempts, key=lambda attempt: attempt.rank, reverse=True)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an LMS's reader found in a place: nothing when it is not that LMS's."""

    deliveries: tuple[Delivery, ...] = ()
    own: frozenset[str] = frozenset()  # top-level names that the LMS itself puts there


NOT_THIS_ONE = Reading()
