"""Reads the people of a course: a list of one's own, or the gradebook that an LMS lets one download."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.report.tables.reading import read_table

FILE = "roster.csv"  # in the output folder, where no other is named

# What the columns are called, in lower case: our own, Canvas's, Moodle's, Brightspace's, Blackboard's, Gradescope's.
_NAMES = ("student", "name", "full name", "student name", "naam")
_FIRST, _LAST = ("first name", "firstname"), ("last name", "lastname", "surname")
_GROUPS = ("group", "group name", "group_name", "team", "groep", "gruppe")
_IDS = (
    *(
        "username",
        "sis login id",
        "login",
        "login_id",
        "user name",
        "user",
        "orgdefinedid",
        "sis user id",
        "student id",
    ),
    *("student_id", "sid", "id number", "email", "email address", "id", "identifier", "github_username", "submission"),
)
_NOBODY = ("points possible", "student, test", "test student")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the roster. `ids`: column in lower case -> what it says, in the order in which they are preferred."""

    line: int  # in the file
    name: str
    group: str
    ids: dict[str, str]
    cells: dict[str, str]  # the whole row


def people(file: Path) -> list[Person]:
    """Everybody on the list. Raises `UsageError` for one without names and ids, or without anybody."""
    frame = read_table(file, ())
    lower = {str(name).casefold(): name for name in frame.columns}
    if not any(name in lower for name in (*_NAMES, *_LAST, *_IDS)):
        there = ", ".join(map(str, frame.columns))[:500] or "none"
        raise UsageError(
            f"{file}: it has no column of names or ids, but {there}", "begin it with the line student,id,group"
        )
    rows = [{str(name): str(cell) for name, cell in row.items()} for row in frame.to_dict("records")]
    found = [_person(line, cells) for line, cells in zip(frame.index, rows, strict=True)]
    found = [one for one in found if (one.name or one.ids) and one.name.casefold() not in _NOBODY]
    if not found:
        raise UsageError(f"{file}: nobody is on it", "give a list with a row for each student")
    return found


def _person(line: int, cells: dict[str, str]) -> Person:
    lower = {name.casefold(): cell for name, cell in cells.items()}

    def first(columns: tuple[str, ...]) -> str:
        return next((lower[name] for name in columns if lower.get(name)), "")

    parts = " ".join(filter(None, (first(_FIRST), first(_LAST))))
    ids = {name: lower[name].removeprefix("#") for name in _IDS if lower.get(name)}  # Brightspace begins ids with #
    return Person(line, first(_NAMES) or parts, first(_GROUPS), ids, cells)
