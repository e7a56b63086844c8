"""What an LMS's download says of its submissions, before a byte of them is copied."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from harness.findings import Finding
from harness.inputs.submissions.one_entry import kept_apart

T = TypeVar("T")

_EARLIEST = datetime.datetime.min.replace(tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Piece:
    """A file or folder of an attempt: where it lies, and its path in the submission (`""`: a folder's content)."""

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
    findings: tuple[Finding, ...] = ()  # what is odd about the names or the metadata
    exact: str = ""  # the name on the disk or of the LMS, byte for byte, where `student` is not it

    @property
    def newest_first(self) -> list[Attempt]:
        return sorted(self.attempts, key=lambda attempt: attempt.rank, reverse=True)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an LMS's reader found in a place: nothing when it is not that LMS's."""

    deliveries: tuple[Delivery, ...] = ()
    own: frozenset[str] = frozenset()  # top-level names that the LMS itself puts there
    of_others: tuple[Finding, ...] = ()  # why it was not read, for those that are taken as they are instead


NOT_THIS_ONE = Reading()


def parsed(names: Iterable[str], parse: Callable[[str], T | None]) -> dict[str, T]:
    """What `parse` makes of each name that it knows. One on which it fails is none of the LMS's."""
    found = {name: kept_apart("intake", partial(parse, name), lambda _: None) for name in names}
    return {name: one for name, one in found.items() if one is not None}


def delivered(entries: Iterable[str], make: Callable[[], Delivery]) -> Delivery:
    """What `make` says of the entries (paths); where it fails, they are a delivery of their own, with the finding."""
    names = frozenset(entries)

    def as_it_is(why: Finding) -> Delivery:
        first = min(names, default="")
        shown = first.encode("ascii", "backslashreplace").decode()
        attempt = Attempt(tuple(Piece(name, name) for name in sorted(names)), shown)
        tops = frozenset(name.partition("/")[0] for name in names)
        return Delivery(shown, shown, (attempt,), tops, "", findings=(why,), exact=first)

    return kept_apart("intake", make, as_it_is)
