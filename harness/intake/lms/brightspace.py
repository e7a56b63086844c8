"""Brightspace (D2L): `<user>-<folder> - Full Name - Nov 3, 2025 1234 PM/`, and an index.html.

Without folders, the same stands before each file's name. A student's folders are attempts; the time is that of the
organisation's zone, written in its language, without a colon.
"""

from __future__ import annotations

import re
from collections import defaultdict

from harness.intake.delivery import NOT_THIS_ONE, Attempt, Delivery, Piece, Reading
from harness.intake.local_dates import read_local_date
from harness.intake.place import Entry, Place

TITLE = "Brightspace"

_HEAD = r"(?P<user>\d+)-(?P<folder>\d+) - (?P<name>.+?) - (?P<date>[^-]*\b20\d\d\b[^-]*)"
_FOLDER = re.compile(_HEAD, re.DOTALL)
_FILE = re.compile(_HEAD + r" - (?P<file>.+)", re.DOTALL)


def read(place: Place) -> Reading:
    """Brightspace's, as soon as one entry has both numbers, a name and a date."""
    found: dict[str, list[tuple[Entry, re.Match[str]]]] = defaultdict(list)
    for entry in place.entries():
        match = (_FOLDER if entry.is_folder else _FILE).fullmatch(entry.name)
        if match:
            found[match["user"]].append((entry, match))
    if not found:
        return NOT_THIS_ONE
    return Reading(tuple(_delivery(user, parts) for user, parts in found.items()), frozenset({"index.html"}))


def _delivery(user: str, parts: list[tuple[Entry, re.Match[str]]]) -> Delivery:
    by_date = defaultdict(list)
    for entry, match in parts:
        by_date[match["date"].strip()].append((entry, match))
    student = parts[0][1]["name"].strip()
    return Delivery(
        student=student,
        key=f"{student}-{user}",
        attempts=tuple(
            Attempt(
                pieces=tuple(Piece(e.name) if e.is_folder else Piece(e.name, m["file"]) for e, m in same),
                label=date,
                at=read_local_date(date),
            )
            for date, same in by_date.items()
        ),
        entries=frozenset(entry.name for entry, _ in parts),
        why=f"name of a Brightspace download: {student}, user {user}",
        lms_id=user,
        clock="Brightspace",
    )
