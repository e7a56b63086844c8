"""Brightspace (D2L): `<user>-<folder> - Full Name - Nov 3, 2025 1234 PM/`, and an index.html.

Without folders, the same stands before each file's name. Brightspace writes both numbers, which come first, and the
date; a student chooses the file's name, and at some schools the name that is shown. So the number alone says whose it
is, and where a file's name has two dates, the later one counts: an earlier one may be invented. A student's folders
are attempts; the time is that of the organisation's zone, written in its language, without a colon.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import partial

from harness.findings import finding
from harness.inputs.submissions.delivery import (
    NOT_THIS_ONE,
    Attempt,
    Delivery,
    Piece,
    Reading,
    delivered,
    parsed,
)
from harness.inputs.submissions.local_dates import read_local_date
from harness.inputs.submissions.place import Entry, Place

TITLE = "Brightspace"

_NUMBERS = re.compile(r"(?P<user>\d{1,20})-(?P<folder>\d{1,20}) - ")
_HAS_YEAR = re.compile(r"[^-]*\b20\d\d\b[^-]*")
_SEPARATOR = " - "


@dataclass(frozen=True, slots=True)
class _Part:
    entry: Entry
    user: str
    student: str
    date: str
    file: str  # as the student called it; empty for a folder
    dates: int  # that it could be


def read(place: Place) -> Reading:
    """Brightspace's: entries with both numbers, a name and a date."""
    found: dict[str, list[_Part]] = defaultdict(list)
    entries = {entry.name: entry for entry in place.entries()}
    for part in parsed(entries, lambda name: _parse(entries[name])).values():
        found[part.user].append(part)
    if not found:
        return NOT_THIS_ONE
    deliveries = tuple(
        delivered([part.entry.name for part in parts], partial(_delivery, user, parts)) for user, parts in found.items()
    )
    return Reading(deliveries, frozenset({"index.html"}))


def _parse(entry: Entry) -> _Part | None:
    numbers = _NUMBERS.match(entry.name)
    if numbers is None:
        return None
    parts = entry.name[numbers.end() :].split(_SEPARATOR)
    last = len(parts) - 1
    at = [index for index in range(1, len(parts)) if _HAS_YEAR.fullmatch(parts[index])]
    # A folder's name ends with the date; behind a file's stands what the student called it.
    at = [index for index in at if (index == last) == entry.is_folder]
    if not at:
        return None
    best = max(at, key=lambda index: (read_local_date(parts[index]) or datetime.datetime.min, -index))
    student, file = _SEPARATOR.join(parts[:best]).strip(), _SEPARATOR.join(parts[best + 1 :])
    return _Part(entry, numbers["user"], student, parts[best].strip(), file, len(at))


def _delivery(user: str, parts: list[_Part]) -> Delivery:
    by_date = defaultdict(list)
    for part in parts:
        by_date[part.date].append(part)
    student = parts[0].student
    return Delivery(
        student=student,
        key=f"{student}-{user}",
        attempts=tuple(
            Attempt(
                pieces=tuple(Piece(part.entry.name, part.file) for part in same),
                label=date,
                at=read_local_date(date),
            )
            for date, same in by_date.items()
        ),
        entries=frozenset(part.entry.name for part in parts),
        why=f"name of a Brightspace download: {student}, user {user}",
        lms_id=user,
        clock="Brightspace",
        findings=tuple(
            finding("lms-time-ambiguous", name=part.entry.name, time=part.date) for part in parts if part.dates > 1
        ),
    )
