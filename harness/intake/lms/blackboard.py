"""Blackboard: `<assignment>_<user>_attempt_2025-11-03-12-34-56_<file>`, with a receipt `....txt` for each attempt.

The receipt's first line has the full name and the user's name in brackets; without it, what the files have in
common is the assignment. For a group, the group's name stands in place of the user's.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict

from harness.intake.delivery import NOT_THIS_ONE, Attempt, Delivery, Piece, Reading
from harness.intake.names import common_start
from harness.intake.place import Place

TITLE = "Blackboard"

_NAME = re.compile(
    r"(?P<head>.+)_attempt_(?P<time>20\d\d-\d\d-\d\d-\d\d-\d\d-\d\d)(?:_(?P<file>.+)|(?P<receipt>\.txt))", re.DOTALL
)
_RECEIPT_LINE = re.compile(r"[^:\n]{1,40}:\s*(?P<name>[^\n]{1,200}?)\s*\((?P<user>[^()\s]{1,100})\)\s*")
_RECEIPT_BYTES = 2_000


def read(place: Place) -> Reading:
    """Blackboard's, as soon as one file has an attempt's time in its name."""
    by_head = defaultdict(list)
    for entry in place.entries():
        match = _NAME.fullmatch(entry.name)
        if match and not entry.is_folder:
            by_head[match["head"]].append((entry.name, match))
    if not by_head:
        return NOT_THIS_ONE
    assignment = _assignment(list(by_head))
    return Reading(tuple(_delivery(place, head, assignment, files) for head, files in by_head.items()))


def _assignment(heads: list[str]) -> str:
    """What stands before the user in every name; with one user, all up to the last underscore."""
    return common_start(heads, "_")


def _delivery(place: Place, head: str, assignment: str, files: list[tuple[str, re.Match[str]]]) -> Delivery:
    user = head.removeprefix(assignment)
    student = user
    by_time = defaultdict(list)
    for name, match in files:
        if match["receipt"]:
            first_line = place.text(name, _RECEIPT_BYTES).partition("\n")[0]
            said = _RECEIPT_LINE.fullmatch(first_line)
            if said and head.endswith(f"_{said['user']}"):
                student, user = said["name"], said["user"]
        by_time[match["time"]].append((name, match))
    return Delivery(
        student=student,
        key=user,
        attempts=tuple(
            Attempt(
                pieces=tuple(Piece(name, match["file"]) for name, match in same if match["file"]),
                label=time,
                at=_time(time),
            )
            for time, same in by_time.items()
        ),
        entries=frozenset(name for name, _ in files),
        why=f"file name of a Blackboard download: {user}",
        lms_id=user,
        clock="Blackboard",
    )


def _time(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None
