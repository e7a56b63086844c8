"""nbgrader: `submitted/<student>/<assignment>/` with a timestamp.txt, or the exchange's inbound folder.

Inbound folders are `<student>+<assignment>+<time> UTC[+<random>]`, one for each try. `nbgrader submit` runs as the
student and writes the folder, its name and timestamp.txt: unless a server of the course's does that, each can be set
to anything, and the time is said to be the student's own.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter, defaultdict
from functools import partial

from harness.errors import UsageError
from harness.findings import Finding, finding
from harness.inputs.submissions.child import Unreadable
from harness.inputs.submissions.delivery import (
    NOT_THIS_ONE,
    Attempt,
    Delivery,
    Piece,
    Reading,
    delivered,
    parsed,
)
from harness.inputs.submissions.lms_files import stamp
from harness.inputs.submissions.place import Place

TITLE = "nbgrader"

_TIMESTAMP = "timestamp.txt"
_TIME = re.compile(r"(20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?)\s*(UTC|Z|[+-]\d\d:?\d\d)?")
_INBOUND = re.compile(r"(?P<student>[^+]+)\+(?P<assignment>[^+]+)\+(?P<time>20\d\d-[^+]+)(?:\+.*)?", re.DOTALL)
_SUBMITTED = "submitted"
_COURSES_OWN = frozenset(
    {_SUBMITTED, "source", "release", "autograded", "feedback", "exchange", "gradebook.db", "nbgrader_config.py"}
)
_CLOCK = "nbgrader, by the student's own program"


def read(place: Place) -> Reading:
    """nbgrader's, when the folders hold timestamps where it puts them.

    Raises `UsageError` when a course has handed in several assignments: which one is meant is not for us to guess.
    """
    return _inbound(place) or _course(place) or _students(place) or NOT_THIS_ONE


def _course(place: Place) -> Reading | None:
    """A course's folder, in which nbgrader keeps what is handed in below `submitted/`."""
    visible = [entry.name for entry in place.entries() if not entry.name.startswith(".")]
    if _SUBMITTED not in visible or not _COURSES_OWN.issuperset(visible):  # else it is what a student calls his folder
        return None
    found = _stamped(place, f"{_SUBMITTED}/")
    assignments = sorted({assignment for _, assignment in found})
    if len(assignments) > 1:
        raise _several(place, assignments)
    return Reading(_deliveries(place, f"{_SUBMITTED}/", found), frozenset(visible)) if found else None


def _several(place: Place, assignments: list[str]) -> UsageError:
    return UsageError(
        f"{place.name}: holds several nbgrader assignments: {', '.join(assignments)}",
        "copy one assignment's folders elsewhere, as <student>/<assignment>/, and give that folder",
    )


def _students(place: Place) -> Reading | None:
    """Folders `<student>/<assignment>/` of the one assignment that most students have: one alone proves nothing."""
    folders = [entry for entry in place.entries() if entry.is_folder and not entry.name.startswith(".")]
    found = _stamped(place, "")
    counts = Counter(assignment for _, assignment in set(found))
    assignment, count = counts.most_common(1)[0] if counts else ("", 0)
    if count < 2 or 2 * count <= len(folders):
        return None
    return Reading(_deliveries(place, "", [pair for pair in found if pair[1] == assignment]))


def _stamped(place: Place, base: str) -> list[tuple[str, str]]:
    """(student, assignment) of each folder with a timestamp."""
    students = [one.name for one in place.entries(base.rstrip("/")) if one.is_folder and not one.name.startswith(".")]
    found = parsed(students, lambda student: _assignments(place, f"{base}{student}"))
    return [(student, assignment) for student, assignments in found.items() for assignment in assignments]


def _assignments(place: Place, folder: str) -> list[str]:
    return [
        one.name
        for one in place.entries(folder)
        if one.is_folder and any(file.name == _TIMESTAMP for file in place.entries(f"{folder}/{one.name}"))
    ]


def _deliveries(place: Place, base: str, found: list[tuple[str, str]]) -> tuple[Delivery, ...]:
    return tuple(
        delivered([f"{base}{student}/{assignment}"], partial(_of_folder, place, base, student, assignment))
        for student, assignment in found
    )


def _of_folder(place: Place, base: str, student: str, assignment: str) -> Delivery:
    path = f"{base}{student}/{assignment}"
    why, at = "it has no time", None
    try:
        at = _time(stamp(place, f"{path}/{_TIMESTAMP}"))
    except Unreadable as error:
        why = str(error)
    odd = () if at else (finding("lms-metadata-unreadable", name=f"{student}/{assignment}/{_TIMESTAMP}", reason=why),)
    attempt = Attempt((Piece(path),), at.isoformat(" ", "seconds") if at else path, at)
    return _delivery(student, assignment, [attempt], odd)


def _inbound(place: Place) -> Reading | None:
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    folders = [entry.name for entry in place.entries() if entry.is_folder]
    for name, match in parsed(folders, _INBOUND.fullmatch).items():
        found[match["student"], match["assignment"]].append((name, match["time"]))
    if not found:
        return None
    counts = Counter(assignment for _, assignment in found)
    (assignment, most), *others = counts.most_common()
    if any(count > 1 and 2 * count > most for _, count in others):
        raise _several(place, sorted(counts))
    return Reading(
        tuple(
            delivered(
                [name for name, _ in tries],
                partial(_of_tries, student, assignment, tries),
            )
            for (student, of), tries in found.items()
            if of == assignment
        )
    )


def _of_tries(student: str, assignment: str, tries: list[tuple[str, str]]) -> Delivery:
    return _delivery(student, assignment, [Attempt((Piece(name),), time, _time(time)) for name, time in tries])


def _delivery(student: str, assignment: str, attempts: list[Attempt], findings: tuple[Finding, ...] = ()) -> Delivery:
    return Delivery(
        student=student,
        key=student,
        attempts=tuple(attempts),
        entries=frozenset(piece.path.partition("/")[0] for attempt in attempts for piece in attempt.pieces),
        why=f"nbgrader's folders: student {student}, assignment {assignment}",
        lms_id=student,
        clock=_CLOCK,
        findings=findings,
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
