"""nbgrader: `submitted/<student>/<assignment>/` with a timestamp.txt, or the exchange's inbound folder.

Inbound folders are `<student>+<assignment>+<time> UTC[+<random>]`, one for each try.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict

from harness.errors import UsageError
from harness.intake.delivery import NOT_THIS_ONE, Attempt, Delivery, Piece, Reading
from harness.intake.place import Place

TITLE = "nbgrader"

_TIMESTAMP = "timestamp.txt"
_TIME = re.compile(r"(20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?)\s*(UTC|Z|[+-]\d\d:?\d\d)?")
_INBOUND = re.compile(r"(?P<student>[^+]+)\+(?P<assignment>[^+]+)\+(?P<time>20\d\d-[^+]+)(?:\+.*)?", re.DOTALL)


def read(place: Place) -> Reading:
    """nbgrader's, when the folders hold timestamps where it puts them.

    Raises `UsageError` when they are of several assignments: which one is meant is not for us to guess.
    """
    return _inbound(place) or _submitted(place, "submitted/") or _submitted(place, "") or NOT_THIS_ONE


def _submitted(place: Place, base: str) -> Reading | None:
    found = [
        (student.name, assignment.name)
        for student in place.entries(base.rstrip("/"))
        if student.is_folder and not student.name.startswith(".")
        for assignment in place.entries(f"{base}{student.name}")
        if assignment.is_folder
        and any(file.name == _TIMESTAMP for file in place.entries(f"{base}{student.name}/{assignment.name}"))
    ]
    if not found:
        return None
    _only_one(place, {assignment for _, assignment in found})
    deliveries = [
        _delivery(student, assignment, [_attempt(place, f"{base}{student}/{assignment}")])
        for student, assignment in found
    ]
    if not base:
        return Reading(tuple(deliveries))
    others = {entry.name for entry in place.entries()}  # a course's folder: source/, release/, gradebook.db ...
    return Reading(tuple(deliveries), frozenset(others))


def _attempt(place: Place, path: str) -> Attempt:
    at = _time(place.text(f"{path}/{_TIMESTAMP}", 200))
    return Attempt((Piece(path),), at.isoformat(" ", "seconds") if at else path, at)


def _inbound(place: Place) -> Reading | None:
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for entry in place.entries():
        match = _INBOUND.fullmatch(entry.name)
        if match and entry.is_folder and _time(match["time"]):
            found[match["student"], match["assignment"]].append((entry.name, match["time"]))
    if not found:
        return None
    _only_one(place, {assignment for _, assignment in found})
    return Reading(
        tuple(
            _delivery(student, assignment, [Attempt((Piece(name),), time, _time(time)) for name, time in tries])
            for (student, assignment), tries in found.items()
        )
    )


def _only_one(place: Place, assignments: set[str]) -> None:
    if len(assignments) > 1:
        raise UsageError(
            f"{place.name}: holds several nbgrader assignments: {', '.join(sorted(assignments))}",
            "copy one assignment's folders elsewhere, as <student>/<assignment>/, and give that folder",
        )


def _delivery(student: str, assignment: str, attempts: list[Attempt]) -> Delivery:
    return Delivery(
        student=student,
        key=student,
        attempts=tuple(attempts),
        entries=frozenset(piece.path.partition("/")[0] for attempt in attempts for piece in attempt.pieces),
        why=f"nbgrader's folders: student {student}, assignment {assignment}",
        lms_id=student,
        clock="nbgrader",
    )


def _time(text: str) -> datetime.datetime | None:
    match = _TIME.search(text)
    if match is None:
        return None
    zone = (match[2] or "").replace("UTC", "+00:00").replace("Z", "+00:00")
    try:
        return datetime.datetime.fromisoformat(match[1] + zone)
    except ValueError:
        return None
