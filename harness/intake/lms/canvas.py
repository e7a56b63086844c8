"""Canvas: one flat folder of `lastnamefirstname[_LATE]_<user>_<attachment>_<file>`.

After `lib/content_zipper.rb` of canvas-lms: the name is the sortable name (or the group's) in lower case without
anything that is no word character; with anonymous grading `anon_<id>` stands for name and user. A file that is
handed in again under its name gets `-1`, `-2` ... before its suffix. There are no times, only `LATE`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from harness.intake.delivery import NOT_THIS_ONE, Attempt, Delivery, Piece, Reading
from harness.intake.place import Place

TITLE = "Canvas"

_FILE = re.compile(
    r"(?:(?P<name>.+?)_)??(?P<late>LATE_)?(?:anon_(?P<anonymous>[A-Za-z0-9]{5})|(?P<user>\d{2,}))"
    r"_(?:(?P<attachment>\d{3,})_(?P<file>.+)|(?P<typed>text|link)\.html)",
    re.DOTALL,
)
_AGAIN = re.compile(r"(?P<stem>.+)-(?P<number>\d{1,2})(?P<suffix>(?:\.[^.]{1,12})?)", re.DOTALL)
_OTHERS = ("_attempt_20", "_assignsubmission_")  # of Blackboard and Moodle, which look alike otherwise


@dataclass(frozen=True, slots=True)
class _File:
    entry: str
    student: str
    user: str
    attachment: int
    name: str
    number: int  # of the resubmission: 0 at first
    late: bool


def read(place: Place) -> Reading:
    """Canvas', when it makes up more than half of what is there: a single name may look so by chance."""
    entries = [entry for entry in place.entries() if not entry.name.startswith(".")]
    files = [file for entry in entries if not entry.is_folder and (file := _parse(entry.name))]
    if 2 * len(files) <= len(entries):
        return NOT_THIS_ONE
    by_user = defaultdict(list)
    for file in files:
        by_user[file.user].append(file)
    return Reading(tuple(_delivery(files) for files in by_user.values()))


def _parse(entry: str) -> _File | None:
    match = _FILE.fullmatch(entry)
    if match is None or any(other in entry for other in _OTHERS):
        return None
    anonymous = match["anonymous"]
    if not anonymous and not match["name"]:
        return None
    file = match["file"] or f"{match['typed']}.html"
    again = _AGAIN.fullmatch(file)
    return _File(
        entry=entry,
        student=match["name"] or f"anonymous {anonymous}",
        user=anonymous or match["user"],
        attachment=int(match["attachment"] or 0),
        name=again["stem"] + again["suffix"] if again else file,
        number=int(again["number"]) if again else 0,
        late=bool(match["late"]),
    )


def _delivery(files: list[_File]) -> Delivery:
    """The newest of each file is handed in; what it replaced is listed as an attempt of its own."""
    newest: dict[str, _File] = {}
    replaced = []
    for file in sorted(files, key=lambda file: (file.number, file.attachment)):
        if file.name in newest:
            replaced.append(newest[file.name])
        newest[file.name] = file
    first = files[0]
    attempts = [
        Attempt(
            pieces=tuple(Piece(file.entry, file.name) for file in newest.values()),
            label=", ".join(sorted(file.entry for file in newest.values())),
            said_late=any(file.late for file in newest.values()),
            order=max(file.attachment for file in newest.values()),
        ),
        *(
            Attempt((Piece(file.entry, file.name),), file.entry, said_late=file.late, order=-1)
            for file in reversed(replaced)
        ),
    ]
    return Delivery(
        student=first.student,
        key=f"{first.student}-{first.user}",
        attempts=tuple(attempts),
        entries=frozenset(file.entry for file in files),
        why=f"file name of a Canvas download: {first.student}, user {first.user}",
        lms_id=first.user,
        clock="Canvas",
    )
