"""Reads an LMS's own files through another process, and checks each answer."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from harness.inputs.submissions.child import Unreadable
from harness.inputs.submissions.place import Place

_MOST_ROWS = 100_000
_FOLDERS_A_TIME = 50  # each at most 20 KB: an answer stays below 1 MiB


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its line in the file, and its cells by column, in lower case."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Submitted:
    """Gradescope's metadata about one folder. A time that cannot be read is None, and sets `is_odd`."""

    people: tuple[tuple[str, str, str], ...]  # name, sid, email
    at: datetime.datetime | None
    tries: tuple[datetime.datetime | None, ...]
    is_odd: bool  # a time could not be read


def table(place: Place, path: str, columns: tuple[str, ...]) -> Table:
    """The wanted columns of a CSV. Raises `Unreadable`."""
    rows: list[Row] = []
    while True:
        page = place.ask("table", path, columns=list(columns), start=len(rows))
        if not isinstance(page, dict) or not isinstance(page.get("rows"), list):
            raise Unreadable("it broke the program that reads it")
        new = [Row(line, cells) for line, cells in page["rows"] if isinstance(line, int) and isinstance(cells, dict)]
        rows += new
        if not page.get("more") or not new:
            return Table(tuple(map(str, page.get("header", ()))), tuple(rows))
        if len(rows) > _MOST_ROWS:
            raise Unreadable(f"it has over {_MOST_ROWS} lines")


def header(place: Place, path: str) -> tuple[str, ...]:
    """The columns of a CSV, in lower case; none when it cannot be read."""
    try:
        page = place.ask("table", path, columns=[], start=0)
    except Unreadable:
        return ()
    return tuple(map(str, page.get("header", ()))) if isinstance(page, dict) else ()


def receipt(place: Place, path: str) -> tuple[str, str] | None:
    """(full name, user's name) of a Blackboard receipt's first line; None where it has neither. Raises `Unreadable`."""
    said = place.ask("receipt", path)
    if not (isinstance(said, list) and len(said) == 2 and all(isinstance(part, str) for part in said)):
        return None
    return said[0], said[1]


def stamp(place: Place, path: str) -> str:
    """The first line of a file with a time. Raises `Unreadable`."""
    return str(place.ask("stamp", path))[:200]


def gradescope(place: Place, path: str, folders: tuple[str, ...]) -> Iterator[tuple[str, Submitted]]:
    """(folder, its metadata) for the folders in the file. Raises `Unreadable`."""
    for start in range(0, len(folders), _FOLDERS_A_TIME):
        said = place.ask("gradescope", path, folders=list(folders[start : start + _FOLDERS_A_TIME]))
        for folder, about in said.items() if isinstance(said, dict) else ():
            yield str(folder), _submitted(about)


def _submitted(about: object) -> Submitted:
    if not isinstance(about, dict):
        return Submitted((), None, (), is_odd=True)
    at, *tries = [_time(text) for text in (about.get("at"), *_list(about.get("tries")))]
    people = [one for one in _list(about.get("submitters")) if isinstance(one, list) and len(one) == 3]
    said = [text for text in (about.get("at"), *_list(about.get("tries"))) if text]
    return Submitted(
        people=tuple((str(name), str(sid), str(email)) for name, sid, email in people),
        at=at,
        tries=tuple(tries),
        is_odd=any(_time(text) is None for text in said),
    )


def _time(text: object) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text) if isinstance(text, str) and text else None
    except (ValueError, OverflowError):
        return None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
