"""Moodle: `Full Name_<id>_assignsubmission_file[_]/`, or flat `Full Name_<id>_assignsubmission_file_<file>`.

For a team the name is `Group-Full Name`; with blind marking it is the word for a participant, in the site's
language. Moodle writes all up to the plug-in's name, and takes `_` out of people's and groups' names (`str_replace` in
`mod/assign/locallib.php`); a student chooses the file's name. So of several readings the first counts, unless the
grading worksheet contradicts it. The download holds no times. The grading worksheet (`Grades-....csv`) does: beside the
download it is read for them.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import partial

from harness.findings import finding
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
from harness.inputs.submissions.lms_files import header, table
from harness.inputs.submissions.local_dates import read_local_date
from harness.inputs.submissions.place import Entry, Place

TITLE = "Moodle"

_NAME = re.compile(r"_(?P<id>\d{1,20})_assignsubmission_(?P<kind>[a-z0-9]+)(?:_(?P<file>.*))?\Z", re.DOTALL | re.I)
_ID = re.compile(r"_\d{1,20}_assignsubmission_", re.IGNORECASE)
_COLUMNS = ("identifier", "full name", "last modified (submission)")


@dataclass(frozen=True, slots=True)
class _Part:
    """One way to read an entry's name."""

    entry: Entry
    student: str
    id: str
    kind: str
    file: str


@dataclass(frozen=True, slots=True)
class _Participant:
    name: str  # as file names have it
    handed_in: datetime.datetime | None


def read(place: Place) -> Reading:
    """Moodle's: entries with the number of a participant and Moodle's plug-in in their names."""
    entries = {entry.name: entry for entry in place.entries()}
    readings = parsed(entries, lambda name: _readings(entries[name]) or None)
    if not readings:
        return NOT_THIS_ONE
    participants, worksheets = _participants(place)
    sure = {found[0].id for found in readings.values() if len({one.id for one in found}) == 1}
    by_student: dict[tuple[str, str, bool], list[_Part]] = defaultdict(list)
    for part, is_odd in parsed(readings, lambda name: _chosen(readings[name], participants, sure)).values():
        by_student[part.id, part.student, is_odd].append(part)
    deliveries = tuple(
        delivered(
            [part.entry.name for part in parts],
            partial(_delivery, parts, participants.get(id), is_odd=is_odd),
        )
        for (id, _, is_odd), parts in by_student.items()
    )
    return Reading(deliveries, worksheets)


def _readings(entry: Entry) -> list[_Part]:
    """Every way to read the name, the shortest student's name first."""
    found = []
    for start in (match.start() for match in _ID.finditer(entry.name)):
        match = _NAME.match(entry.name, start)
        if match and start > 0:
            found.append(_Part(entry, entry.name[:start], match["id"], match["kind"].lower(), match["file"] or ""))
    return found


def _chosen(found: list[_Part], participants: dict[str, _Participant], sure: set[str]) -> tuple[_Part, bool]:
    """The reading that counts, and whether nobody can say that it is the right one."""
    first = found[0]
    if len({one.id for one in found}) == 1:
        return first, False
    possible = [
        one for one in found if one.id in participants and participants[one.id].name == _as_in_a_file(one.student)
    ]
    if len(possible) == 1:
        return possible[0], False
    if possible or first.id in sure:  # what one student's files say for sure is not joined by what says it perhaps
        return found[-1], True
    return first, False


def _delivery(parts: list[_Part], participant: _Participant | None, *, is_odd: bool) -> Delivery:
    pieces = []
    for part in parts:
        inside = "" if part.kind == "file" else part.kind
        if part.entry.is_folder:
            pieces.append(Piece(part.entry.name, inside))
        else:
            file = part.file or part.entry.name
            pieces.append(Piece(part.entry.name, f"{inside}/{file}" if inside else file))
    first = parts[0]
    student = first.student.replace("_", " ").strip()
    at = participant.handed_in if participant and not is_odd else None
    return Delivery(
        student=student,
        key=f"{student}-{first.id}",
        attempts=(Attempt(tuple(pieces), at.isoformat(" ", "minutes") if at else "the current attempt", at),),
        entries=frozenset(part.entry.name for part in parts),
        why=f"folder name of a Moodle download: {student}, participant {first.id}",
        lms_id="" if is_odd else first.id,
        clock="Moodle's grading worksheet" if at else "Moodle",
        findings=(finding("lms-name-ambiguous", name=first.entry.name, lms=TITLE),) if is_odd else (),
        exact=first.student,
    )


def _participants(place: Place) -> tuple[dict[str, _Participant], frozenset[str]]:
    """The participants by number, from the grading worksheets beside the download; and those files' names."""
    participants, names = {}, set()
    for entry in place.entries():
        if entry.is_folder or not entry.name.lower().endswith(".csv") or _readings(entry):
            continue
        if not {_COLUMNS[0], _COLUMNS[2]} <= set(header(place, entry.name)):
            continue
        names.add(entry.name)
        try:
            rows = table(place, entry.name, _COLUMNS).rows
        except Unreadable:
            continue
        for row in rows:
            number = re.search(r"\d+\s*$", row.cells.get("identifier", ""))
            if number:
                at = read_local_date(row.cells.get("last modified (submission)", ""))
                participants[number[0].strip()] = _Participant(_as_in_a_file(row.cells.get("full name", "")), at)
    return participants, frozenset(names)


def _as_in_a_file(name: str) -> str:
    """The name as Moodle's `clean_filename` leaves it, to be compared only."""
    return " ".join(re.sub(r"""[&<>"`|':\\/]""", "", name.replace("_", " ")).split()).casefold()
