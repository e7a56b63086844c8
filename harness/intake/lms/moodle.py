"""Moodle: `Full Name_<id>_assignsubmission_file[_]/`, or flat `Full Name_<id>_assignsubmission_file_<file>`.

For a team the name is `Group-Full Name`; with blind marking it is the word for a participant, in the site's
language. The download holds no times. The grading worksheet (`Grades-....csv`) does: beside the download it is
read for them.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections import defaultdict

from harness.intake.delivery import NOT_THIS_ONE, Attempt, Delivery, Piece, Reading
from harness.intake.local_dates import read_local_date
from harness.intake.place import Entry, Place

TITLE = "Moodle"

_NAME = re.compile(
    r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z0-9]+)(?:_(?P<file>.*))?", re.DOTALL | re.IGNORECASE
)
_WORKSHEET_COLUMNS = {"Identifier", "Last modified (submission)"}
_WORKSHEET_BYTES = 4_000_000


def read(place: Place) -> Reading:
    """Moodle's, as soon as one entry has Moodle's plug-in in its name."""
    found: dict[tuple[str, str], list[tuple[Entry, re.Match[str]]]] = defaultdict(list)
    for entry in place.entries():
        match = _NAME.fullmatch(entry.name)
        if match:
            found[match["id"], match["name"]].append((entry, match))
    if not found:
        return NOT_THIS_ONE
    times, worksheets = _worksheets(place)
    deliveries = tuple(_delivery(id, name, parts, times.get(id)) for (id, name), parts in found.items())
    return Reading(deliveries, worksheets)


def _delivery(id: str, name: str, parts: list[tuple[Entry, re.Match[str]]], at: datetime.datetime | None) -> Delivery:
    pieces = []
    for entry, match in parts:
        inside = "" if match["kind"].lower() == "file" else match["kind"]
        if entry.is_folder:
            pieces.append(Piece(entry.name, inside))
        else:
            file = match["file"] or entry.name
            pieces.append(Piece(entry.name, f"{inside}/{file}" if inside else file))
    student = name.replace("_", " ").strip()
    return Delivery(
        student=student,
        key=f"{student}-{id}",
        attempts=(Attempt(tuple(pieces), at.isoformat(" ", "minutes") if at else "the current attempt", at),),
        entries=frozenset(entry.name for entry, _ in parts),
        why=f"folder name of a Moodle download: {student}, participant {id}",
        lms_id=id,
        clock="Moodle's grading worksheet" if at else "Moodle",
    )


def _worksheets(place: Place) -> tuple[dict[str, datetime.datetime], frozenset[str]]:
    """Participant -> time, from the grading worksheets beside the download; and those files' names."""
    times, names = {}, set()
    for entry in place.entries():
        if entry.is_folder or not entry.name.lower().endswith(".csv"):
            continue
        rows = csv.DictReader(io.StringIO(place.text(entry.name, _WORKSHEET_BYTES)))
        if not _WORKSHEET_COLUMNS.issubset(rows.fieldnames or ()):
            continue
        names.add(entry.name)
        for row in rows:
            number = re.search(r"\d+\s*$", row.get("Identifier") or "")
            at = read_local_date(row.get("Last modified (submission)") or "")
            if number and at:
                times[number[0].strip()] = at
    return times, frozenset(names)
