"""Reads the instructor's lists beside the submissions: groups.csv (who works with whom) and times.csv (when).

Both may be as spreadsheets write them: comma or semicolon, with or without a byte-order mark. Canvas's group export is
a valid groups.csv. The lists may hold names that students chose, so another process reads them, like all files of a
download.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from harness.errors import UsageError
from harness.inputs.submissions.child import Unreadable
from harness.inputs.submissions.lms_files import table
from harness.inputs.submissions.local_dates import read_local_date
from harness.inputs.submissions.place import Place

GROUPS, TIMES = "groups.csv", "times.csv"

_GROUP_COLUMNS = ("group", "group_name", "group name", "team", "groep", "gruppe", "groupe", "grupo")
_NAME_COLUMNS = ("student", "name", "full name", "full_name", "member", "naam")
_ID_COLUMNS = (
    *("id", "submission", "user", "user_id", "username", "login", "login_id", "student_id", "student id", "number"),
    *("canvas_user_id", "sis_user_id", "sis_login_id", "email", "email address", "github_username", "orgdefinedid"),
)
_TIME_COLUMNS = ("handed_in", "handed in", "submitted", "submitted_at", "time", "date")


@dataclass(frozen=True, slots=True)
class Who:
    """A person or group to look up: the LMS's id, and names, which people may choose."""

    lms_id: str
    names: tuple[str, ...]


class Named:
    """A person's id, and the normalised forms of the names."""

    def __init__(self, who: Who) -> None:
        self.id = _id(who.lms_id)
        self.forms = frozenset(form for name in who.names for form in forms(name))


@dataclass(frozen=True, slots=True)
class ClassLists:
    """The content of the lists. People and groups are found by any of their names, ignoring case and accents.

    Where the lists have the LMS's ids, a row with an id is found by it alone, because people can choose their names.
    """

    members: dict[str, tuple[str, ...]] = field(default_factory=dict)  # group -> people
    times: dict[str, datetime.datetime] = field(default_factory=dict)  # plain name -> when
    _group_of: dict[str, str] = field(default_factory=dict)  # plain name of a person or group -> group
    _ids_of: dict[str, set[str]] = field(default_factory=dict)  # plain name -> the ids in its rows
    _has_the_ids: bool = False  # whether the lists have ids of the submissions' LMS
    _of_several: frozenset[str] = frozenset()  # normalised names that people with different ids share

    def among(self, everyone: Sequence[Named]) -> ClassLists:
        """The lists, prepared for looking up these people."""
        ids_of: dict[str, set[str]] = {}
        for one in everyone:
            for form in one.forms if one.id else ():
                ids_of.setdefault(form, set()).add(one.id)
        listed = set().union(*self._ids_of.values())
        ids = {one.id for one in everyone if one.id}
        return replace(
            self,
            _has_the_ids=bool(ids) and 2 * len(ids & listed) >= len(ids),
            _of_several=frozenset(form for form, several in ids_of.items() if len(several) > 1),
        )

    def with_times_of(self, other: ClassLists) -> ClassLists:
        """The same groups, with the times and ids of another place's lists."""
        ids = {
            form: self._ids_of.get(form, set()) | other._ids_of.get(form, set())
            for form in self._ids_of | other._ids_of
        }
        return replace(self, times=other.times, _ids_of=ids)

    def group(self, who: Who) -> str | None:
        """The group of the person, or the group itself."""
        return next((self._group_of[form] for form in self._forms(who) if form in self._group_of), None)

    def time(self, who: Who) -> datetime.datetime | None:
        """When the person or group handed in, by times.csv."""
        return next((self.times[form] for form in self._forms(who) if form in self.times), None)

    def is_ambiguous(self, who: Who) -> bool:
        """Whether a list has one of the person's names, and another sender shares that name."""
        mine = {form for name in who.names for form in forms(name)} & self._of_several
        return any(self._is_by_name(form, who) and (form in self.times or form in self._group_of) for form in mine)

    def _forms(self, who: Who) -> Iterator[str]:
        """The forms by which the person may be found, the id first."""
        yield from forms(who.lms_id)
        for name in who.names:
            for form in forms(name):
                if self._is_by_name(form, who) and form not in self._of_several:
                    yield form

    def _is_by_name(self, form: str, who: Who) -> bool:
        """Whether rows with this name may be attributed to the person by name alone."""
        ids = self._ids_of.get(form, set())
        return not who.lms_id or not self._has_the_ids or not ids or _id(who.lms_id) in ids


def _id(text: str) -> str:
    return text.strip().casefold()


def forms(name: str) -> list[str]:
    """The name's letters and digits without accents, in each order of its parts: `Vries, Anna de` matches Anna's."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    words = plain.split()[:8]
    return list(dict.fromkeys("".join(words[i:] + words[:i]) for i in range(len(words))))


def read_class_lists(place: Place, only: Sequence[str] = (GROUPS, TIMES)) -> ClassLists:
    """The lists in the place, empty if there are none. Raises `UsageError` for a list that is not valid."""
    lists = ClassLists()
    for entry in place.entries():
        if entry.is_folder or entry.name.lower() not in only:
            continue
        if entry.name.lower() == GROUPS:
            _read_groups(place, entry.name, lists)
        elif entry.name.lower() == TIMES:
            _read_times(place, entry.name, lists)
    return lists


def _read_groups(place: Place, file: str, lists: ClassLists) -> None:
    people: dict[str, list[str]] = {}
    groups_of_form: dict[str, set[str]] = {}
    for _, row in _rows(place, file, _GROUP_COLUMNS, (*_NAME_COLUMNS, *_ID_COLUMNS, "members"), "group,student"):
        group = _first(row, _GROUP_COLUMNS)
        if not group:
            continue
        members = people.setdefault(group, [])
        many = [name.strip() for name in row.get("members", "").replace("&", ";").split(";") if name.strip()]
        names = [row[column] for column in (*_NAME_COLUMNS, *_ID_COLUMNS) if row.get(column)]
        members += many or names[:1]
        for name in (*many, *names, group):
            for form in forms(name):
                groups_of_form.setdefault(form, set()).add(group)
        _note_ids(row, lists)
    lists.members.update({group: tuple(dict.fromkeys(members)) for group, members in people.items()})
    # A name that two groups share identifies neither.
    lists._group_of.update({form: next(iter(groups)) for form, groups in groups_of_form.items() if len(groups) == 1})


def _read_times(place: Place, file: str, lists: ClassLists) -> None:
    for line, row in _rows(place, file, _TIME_COLUMNS, (*_NAME_COLUMNS, *_ID_COLUMNS), "student,handed_in"):
        text = _first(row, _TIME_COLUMNS)
        if not text:
            continue
        at = _time(text)
        if at is None:
            raise UsageError(
                f"{file}:{line}: {text!r} is no time", "write it as 2025-11-03T23:59, with +01:00 for another zone"
            )
        for column in (*_NAME_COLUMNS, *_ID_COLUMNS):
            for form in forms(row.get(column, "")):
                lists.times[form] = at
        _note_ids(row, lists)


def _note_ids(row: dict[str, str], lists: ClassLists) -> None:
    """Note the ids in the person's row."""
    ids = {_id(row[column]) for column in _ID_COLUMNS if row.get(column)}
    for form in {form for column in _NAME_COLUMNS for form in forms(row.get(column, ""))} if ids else ():
        lists._ids_of.setdefault(form, set()).update(ids)


def _time(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return read_local_date(text)


def _rows(
    place: Place, file: str, one_of: tuple[str, ...], and_one_of: tuple[str, ...], header: str
) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, column in lower case -> cell) for each row."""
    try:
        found = table(place, file, (*one_of, *and_one_of))
    except Unreadable as error:
        raise UsageError(f"{place.name}/{file}: {error}", "save it as CSV again") from error
    if not set(one_of) & set(found.header) or not set(and_one_of) & set(found.header):
        raise UsageError(
            f"{place.name}/{file}: its first line has the columns {', '.join(filter(None, found.header)) or 'none'}",
            f"begin it with the line {header}",
        )
    for row in found.rows:
        yield row.line, row.cells


def _first(row: dict[str, str], columns: tuple[str, ...]) -> str:
    return next((row[column] for column in columns if row.get(column)), "")
