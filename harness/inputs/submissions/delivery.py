"""What an LMS's download says about its submissions, before anything is copied."""

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
    """A file or folder of an attempt: its path in the download, and in the submission (`""`: a folder's content)."""

    path: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a student or group. A time without a zone is the course's local time."""

    pieces: tuple[Piece, ...]
    label: str  # its name for people: a date, a number, a file name
    at: datetime.datetime | None = None
    said_late: bool = False  # the LMS marks it late, perhaps without a time
    order: int = 0  # the LMS's own numbering, where times do not decide

    @property
    def rank(self) -> tuple[datetime.datetime, int, str]:
        """A sort key; the newer attempt has the higher one."""
        at = self.at or _EARLIEST
        return (at if at.tzinfo else at.replace(tzinfo=datetime.UTC), self.order, self.label)


@dataclass(frozen=True, slots=True)
class Delivery:
    """All attempts of one student or group."""

    student: str  # the name for people
    key: str  # basis of the id: the same in every download, whoever else is in it
    attempts: tuple[Attempt, ...]  # at least one
    entries: frozenset[str]  # its top-level names
    why: str  # how it was recognised, for people
    lms_id: str = ""
    members: tuple[str, ...] = ()
    clock: str = ""  # the source of the time, for people
    findings: tuple[Finding, ...] = ()  # about odd names or metadata
    exact: str = ""  # the name on the disk or of the LMS, byte for byte, if it differs from `student`

    @property
    def newest_first(self) -> list[Attempt]:
        return sorted(self.attempts, key=lambda attempt: attempt.rank, reverse=True)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an LMS's reader found in a place: nothing when the download is not that LMS's."""

    deliveries: tuple[Delivery, ...] = ()
    own: frozenset[str] = frozenset()  # top-level names that the LMS itself puts there
    of_others: tuple[Finding, ...] = ()  # why it was not read, for submissions that are then taken as plain ones


NOT_THIS_ONE = Reading()


def parsed(names: Iterable[str], parse: Callable[[str], T | None]) -> dict[str, T]:
    """Name -> the result of `parse`, for names that it knows. A name on which it raises does not count as the LMS's."""
    found = {name: kept_apart("intake", partial(parse, name), lambda _: None) for name in names}
    return {name: one for name, one in found.items() if one is not None}


def delivered(entries: Iterable[str], make: Callable[[], Delivery]) -> Delivery:
    """The delivery that `make` returns for the entries (paths); if it raises, a plain delivery with the finding."""
    names = frozenset(entries)

    def as_it_is(why: Finding) -> Delivery:
        first = min(names, default="")
        shown = first.encode("ascii", "backslashreplace").decode()
        attempt = Attempt(tuple(Piece(name, name) for name in sorted(names)), shown)
        tops = frozenset(name.partition("/")[0] for name in names)
        return Delivery(shown, shown, (attempt,), tops, "", findings=(why,), exact=first)

    return kept_apart("intake", make, as_it_is)
