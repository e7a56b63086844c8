"""Messages about errors in an assignment.toml, with their line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from harness.errors import Problem, nearest
from harness.inputs.assignment.schema import Assignment


def place(file: Path, text: str, location: tuple[str | int, ...]) -> str:
    """`assignment.toml:14  held_out.path`, with the line when it can be found."""
    dotted = ".".join(str(part + 1) if isinstance(part, int) else part for part in location)
    line = _line_of(text, location)
    return f"{file.name}{f':{line}' if line else ''}  {dotted or 'the file'}"


def problem(file: Path, text: str, location: tuple[str | int, ...], what: str) -> Problem:
    """What is wrong with the key at `location`."""
    return Problem(place(file, text, location), what)


def described(file: Path, text: str, detail: ErrorDetails) -> Problem:
    """`problem` for one of pydantic's errors; a misspelt key gets the nearest known one."""
    location = tuple(part for part in detail["loc"])
    found = detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            what = f"unknown key; {nearest(str(location[-1]), _known_keys(location[:-1]))}"
        case "missing":
            what = "missing"
        case "value_error":
            what = str(detail["ctx"]["error"]) + (f"; found {found!r}" if not isinstance(found, dict) else "")
        case _:
            what = f"{detail['msg'][0].lower()}{detail['msg'][1:]}; found {found!r}"
    return problem(file, text, location, what)


def _known_keys(location: tuple[str | int, ...]) -> list[str]:
    """The keys that the section at `location` may hold."""
    section: type[BaseModel] = Assignment
    for part in location:
        if isinstance(part, int):
            continue
        annotation = section.model_fields[str(part)].annotation
        inner = [a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel)]
        if not inner:
            return []
        section = inner[0]
    return [f.alias or name for name, f in section.model_fields.items() if not f.exclude]


def _line_of(text: str, location: tuple[str | int, ...]) -> int | None:
    """The 1-based line of the key at `location`, as far as a simple scan can find it."""
    if not location:
        return None
    names = [part for part in location if isinstance(part, str)]
    indices = [part for part in location if isinstance(part, int)]
    table, key = (names[0], names[-1]) if len(names) > 1 else ("", names[0])
    current, seen = "", -1
    header_line = None
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]\]?", line)
        if header:
            current = header[1]
            seen += current == names[0]
            if current == names[0] and (not indices or seen == indices[0]):
                header_line = header_line or number
        wanted = current == table and (not indices or seen == indices[0])
        if wanted and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
            return number
    return header_line
