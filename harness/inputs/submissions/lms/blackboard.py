"""Blackboard: `<assignment>_<user>_attempt_2025-11-03-12-34-56_<file>`, with a receipt `....txt` for each attempt.

Blackboard writes all up to the time, and the receipt; a student chooses what stands behind it, and some groups their
own name. So where a name has two times, the one with a receipt counts, else the first. The receipt's first line has
the full name and the user's name in brackets; without it, what the files have in common is the assignment. For a
group, the group's name stands in place of the user's.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import partial

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
from harness.inputs.submissions.lms_files import receipt
from harness.inputs.submissions.names import common_start
from harness.inputs.submissions.place import Place

TITLE = "Blackboard"

_TIMES = re.compile(r"_attempt_(?P<time>20\d\d-\d\d-\d\d-\d\d-\d\d-\d\d)(?=_.|\.txt\Z)", re.DOTALL)
_RECEIPT = ".txt"


@dataclass(frozen=True, slots=True)
class _File:
    entry: str
    head: str  # assignment and user
    time: str
    name: str  # as the student called it; empty for a receipt
    is_sure: bool


def read(place: Place) -> Reading:
    """Blackboard's: files with an attempt's time in their names."""
    names = {entry.name for entry in place.entries() if not entry.is_folder}
    by_head: dict[str, list[_File]] = defaultdict(list)
    for file in parsed(sorted(names), lambda name: _parse(name, names)).values():
        by_head[file.head].append(file)
    if not by_head:
        return NOT_THIS_ONE
    assignment = common_start(list(by_head), "_")
    return Reading(
        tuple(
            delivered([file.entry for file in files], partial(_delivery, place, head, assignment, files))
            for head, files in by_head.items()
        )
    )


def _parse(entry: str, names: set[str]) -> _File | None:
    found = [match for match in _TIMES.finditer(entry) if match.start() > 0]
    if not found:
        return None
    with_receipt = [match for match in found if f"{entry[: match.end()]}{_RECEIPT}" in names]
    match = (with_receipt or found)[0]
    rest = entry[match.end() :]
    name = "" if rest == _RECEIPT else rest[1:]
    return _File(entry, entry[: match.start()], match["time"], name, len(found) == 1 or bool(with_receipt))


def _delivery(place: Place, head: str, assignment: str, files: list[_File]) -> Delivery:
    user = head.removeprefix(assignment)
    student = user
    by_time = defaultdict(list)
    findings: list[Finding] = []
    for file in files:
        if not file.name:
            try:
                said = receipt(place, file.entry)
            except Unreadable as error:
                said = None
                findings.append(finding("lms-metadata-unreadable", name=file.entry, reason=str(error)))
            if said and head.endswith(f"_{said[1]}"):
                student, user = said
        elif not file.is_sure:
            findings.append(finding("lms-time-ambiguous", name=file.entry, time=file.time))
        by_time[file.time].append(file)
    return Delivery(
        student=student,
        key=user,
        attempts=tuple(
            Attempt(
                pieces=tuple(Piece(file.entry, file.name) for file in same if file.name),
                label=time,
                at=_time(time),
            )
            for time, same in by_time.items()
        ),
        entries=frozenset(file.entry for file in files),
        why=f"file name of a Blackboard download: {user}",
        lms_id=user,
        clock="Blackboard",
        findings=tuple(findings),
    )


def _time(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None
