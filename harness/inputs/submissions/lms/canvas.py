"""Canvas: one flat folder of `lastnamefirstname[_LATE]_<user>_<attachment>_<file>`.

After `lib/content_zipper.rb` of canvas-lms: the name is the sortable name (or the group's) in lower case without
anything that is no word character; with anonymous grading `anon_<id>` stands for name and user. A file that is
handed in again under its name gets `-1`, `-2` ... before its suffix; students number their own files in the same way.
There are no times, only `LATE`.

Canvas writes the numbers and `LATE`; a student chooses the file's name, and may choose what he or the group is called:
Canvas takes `_4711_` out of a name, not `_ 4711_`, of which the space goes later. So a name can be read in several
ways. Of these count those whose user the gradebook's export beside the download knows (`Student,ID,...`), where there
is one, and whose attachment's number is of the size of the others'. Where more than one is left, nobody can say whose
the file is, and it is taken by itself, as nobody's.
"""

from __future__ import annotations

import re
import statistics
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

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
from harness.inputs.submissions.place import Entry, Place

TITLE = "Canvas"

_BEHIND = r"_(?:(?P<attachment>\d{3,20})_(?P<file>.+)|(?P<typed>text|link)\.html)\Z"
_USER = re.compile(rf"_(?P<user>\d{{2,20}})(?={_BEHIND})", re.DOTALL)
_ANONYMOUS = re.compile(rf"(?P<late>LATE_)?anon_(?P<user>[A-Za-z0-9]{{5}}){_BEHIND}", re.DOTALL)
_AGAIN = re.compile(r"(?P<stem>.+)-(?P<number>\d{1,2})(?P<suffix>(?:\.[^.]{1,12})?)", re.DOTALL)
_OTHERS = ("_attempt_20", "_assignsubmission_")  # of Blackboard and Moodle, which look alike otherwise
_LATE = "_LATE"
_GRADEBOOK = ("student", "id")  # columns of the gradebook's export
_OTHER_SIZE = 4  # times larger or smaller than any attachment of the download: no number of Canvas'


@dataclass(frozen=True, slots=True)
class _File:
    """One way to read an entry's name."""

    entry: str
    student: str
    user: str
    attachment: int  # 0: of a text or a link
    name: str
    number: int  # of the resubmission, where Canvas wrote it: 0 at first
    late: bool


def read(place: Place) -> Reading:
    """Canvas': flat files with the numbers of a user and an attachment."""
    entries = {entry.name: entry for entry in place.entries()}
    files = list(parsed(entries, lambda name: _may_be_canvas(entries[name]) or None))
    anonymous = parsed(files, _anonymous)
    if 2 * len(anonymous) > len(files):
        readings = {entry: [file] for entry, file in anonymous.items()}
    else:
        readings = parsed(files, lambda name: _readings(name) or None)
    if not readings:
        return NOT_THIS_ONE
    gradebook, names = _users(place)
    possible = parsed(readings, lambda entry: _possible(readings[entry], gradebook))
    sizes = _sizes(list(possible.values()))
    left = parsed(possible, lambda entry: _of_a_size(possible[entry], sizes))
    by_user: dict[tuple[str, str], list[_File]] = defaultdict(list)
    for found in left.values():
        last = found[-1]  # the longest name: what nobody can tell apart stays together, and alone
        by_user[("", last.user) if len(found) == 1 else (last.student, last.user)].append(last)
    return Reading(
        tuple(
            delivered([file.entry for file in files], partial(_delivery, files, is_odd=bool(odd)))
            for (odd, _), files in by_user.items()
        ),
        names,
    )


def _may_be_canvas(entry: Entry) -> bool:
    return not (entry.is_folder or entry.name.startswith(".") or any(other in entry.name for other in _OTHERS))


def _anonymous(entry: str) -> _File | None:
    match = _ANONYMOUS.fullmatch(entry)
    return _file(entry, match, f"anonymous {match['user']}", late=bool(match["late"])) if match else None


def _readings(entry: str) -> list[_File]:
    """Every way to read the name, the shortest student's name first."""
    return [
        _file(entry, match, before.removesuffix(_LATE), late=before.endswith(_LATE))
        for match in _USER.finditer(entry)
        if (before := entry[: match.start()]).removesuffix(_LATE)
    ]


def _file(entry: str, match: re.Match[str], student: str, *, late: bool) -> _File:
    name = match["file"] or f"{match['typed']}.html"
    return _File(
        entry=entry,
        student=student,
        user=match["user"],
        attachment=int(match["attachment"] or 0),
        name=unicodedata.normalize("NFC", name),
        number=0,
        late=late,
    )


def _users(place: Place) -> tuple[frozenset[str], frozenset[str]]:
    """The users of the gradebook's exports beside the download, and those files' names.

    Only their numbers count: names can be changed between the export and the download.
    """
    users, names = set[str](), set[str]()
    for entry in place.entries():
        is_table = not entry.is_folder and entry.name.lower().endswith(".csv")
        if not is_table or _readings(entry.name) or not set(_GRADEBOOK) <= set(header(place, entry.name)):
            continue
        names.add(entry.name)
        try:
            users |= {row.cells.get("id", "") for row in table(place, entry.name, _GRADEBOOK).rows}
        except Unreadable:
            continue
    return frozenset(users), frozenset(names)


def _possible(found: list[_File], gradebook: frozenset[str]) -> list[_File]:
    """The readings of which the gradebook knows the user; all where it knows none of them."""
    return [file for file in found if file.user in gradebook] or found


def _sizes(readings: list[list[_File]]) -> list[int]:
    """Attachments' numbers that are Canvas' for certain; else the middle one of what the first readings have.

    A course may ask for files called `2025_...`: then every name can be read in two ways, and most are honest.
    """
    sure = [found[0].attachment for found in readings if len(found) == 1 and found[0].attachment]
    return sure or [statistics.median_low(found[0].attachment for found in readings)]


def _of_a_size(found: list[_File], sizes: list[int]) -> list[_File]:
    if len(found) == 1:
        return found
    least, most = min(sizes) / _OTHER_SIZE, max(sizes) * _OTHER_SIZE
    return [file for file in found if file.attachment == 0 or least <= file.attachment <= most] or found


def _numbered(files: list[_File]) -> list[_File]:
    """The user's files, without the numbers that Canvas put behind their names; a student's own numbers stay.

    Canvas numbers a file whose name the student has used before. So a number is Canvas' where the plain name is there,
    too, and each number up to it, each uploaded later than the one before; or where every file has one and no two
    differ in nothing else: a hand-in that came again as a whole.
    """
    series: dict[str, dict[int, _File]] = defaultdict(dict)
    for file in files:
        stem, number = _plain(file.name)
        series[stem][number] = file
    whole = len(series) == len(files) > 1 and all(0 not in of_one for of_one in series.values())
    found = []
    for file in files:
        stem, number = _plain(file.name)
        earlier = [series[stem].get(one) for one in range(number + 1)]
        uploads = [one.attachment for one in earlier if one is not None]
        again = len(uploads) == len(earlier) and all(a < b for a, b in pairwise(uploads))
        found.append(replace(file, name=stem, number=number) if number and (whole or again) else file)
    return found


def _plain(name: str) -> tuple[str, int]:
    """The name without a number behind it, and the number; 0 without one."""
    again = _AGAIN.fullmatch(name)
    return (again["stem"] + again["suffix"], int(again["number"])) if again else (name, 0)


def _delivery(files: list[_File], *, is_odd: bool) -> Delivery:
    """The newest of each file is handed in; what it replaced is listed as an attempt of its own."""
    newest: dict[str, _File] = {}
    replaced = []
    for file in sorted(_numbered(files), key=lambda file: (file.number, file.attachment)):
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
        lms_id="" if is_odd else first.user,
        clock="Canvas",
        findings=(finding("lms-name-ambiguous", name=first.entry, lms=TITLE),) if is_odd else (),
    )
