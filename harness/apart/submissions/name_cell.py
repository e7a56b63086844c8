"""Finds a notebook's authors in its cell with names.

A notebook is an untrusted file, so only its first 256 KB are read, as strict JSON, cell by cell: neither its size nor
its nesting costs anything. Nothing is run, decoded or rendered. The names are only shown and exported; no mark depends
on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..notebook_file import first_cells, is_code, source

_CELLS = 6  # names are at the top
_CELL_CHARACTERS = 10_000
_LINES = 40  # of a cell
_LINE_CHARACTERS = 300
_TITLE_LINES = 8  # of the first cell, in which names may stand without a label
_MOST_NAMES = 12

_LABEL = re.compile(
    r"^[\s#>*_|-]*(?:\d+[.)]\s*)?(?:(?:student|group|team|your|full|step \d+[.:]?)[\s_-]*)*"
    r"(?:names?|namen|naam|noms?|nombres?|authors?|auteurs?|autoren|students?|studenten|members?|groepsleden|made by)"
    r"(?:[\s_-]*(?:\d|[ab]|one|two|three|four|of the (?:students?|group)|(?:van de )?student(?:en|s)?))?"
    r"[*_\s]*(?:\([^)]{0,60}\))?[*_\s]*"
    r"(?P<separator>[:=|]|$)(?P<value>.*)$",
    re.IGNORECASE,
)
_NEXT_LABEL = re.compile(r"\b(?:student\s*)?(?:number|nummer|no|nr|id|e-?mail|class|group|date|matrikel\w*)\b.*", re.I)
_NUMBER = re.compile(r"[(\[]?\b[a-z]{0,2}\d{4,}\b[)\]]?", re.IGNORECASE)
_BEFORE_NUMBER = re.compile(r"(?P<name>[^\W\d_][^\d:–—|•·]{3,59}?)[\s,]*[(\[]?\b[a-z]{0,2}\d{6,8}\b", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*+]|\d{1,2}[.)])\s+")
_SPLIT = re.compile(r"\s*(?:[,;/&+|·•–—]|\band\b|\ben\b|\bund\b|\bet\b|\by\b|<br\s*/?>)\s*", re.IGNORECASE)
_INSIDE_NAMES = "al bin da das de del della den der di do dos el ibn la le ten ter van vom von y zu zum"
_OF_TITLES = (
    "ai assignment classification colab course data dataset deep dl embedded evaluation exercise fill final google "
    "groep group here homework image images in introduction keras lab learning load machine minor mobilenet model "
    "naam name names network neural none notebook number part plot prepare project python question questions report "
    "semester step student students team tensorflow title tl todo torch transfer untitled vgg vision week your"
)
_PARTICLES = frozenset(_INSIDE_NAMES.split())
_NO_NAMES = frozenset(_OF_TITLES.split())


def names_in(notebook: Path) -> tuple[str, ...]:
    """The names at the top of the notebook, each once; empty when there are none or it cannot be read."""
    for number, cell in enumerate(first_cells(notebook, _CELLS)):
        lines = [line[:_LINE_CHARACTERS] for line in source(cell)[:_CELL_CHARACTERS].splitlines()[:_LINES]]
        names = [*_labelled(lines)]
        if number == 0 and not is_code(cell) and not names:
            names = [*_in_title(lines[:_TITLE_LINES])]
        if names:
            return tuple(dict.fromkeys(names))[:_MOST_NAMES]
    return ()


def _labelled(lines: list[str]) -> Iterator[str]:
    """Names after `Name:` or a similar label, or in the lines below it."""
    listing = begun = False
    for line in lines:
        label = _LABEL.match(line)
        if label:
            found = [*_people(label["value"])]
            yield from found
            listing, begun = not found, False
        elif listing and line.strip():
            found = [*_people(line)]
            yield from found
            listing = begun = bool(found)
        elif begun:
            listing = False


def _in_title(lines: list[str]) -> Iterator[str]:
    """Names without a label: before a student number, or alone on a line."""
    for line in lines:
        numbered = [name for match in _BEFORE_NUMBER.finditer(line) for name in _people(match["name"], words=2)]
        if numbered:
            yield from numbered
            continue
        parts = [part for part in (_plain(part) for part in _SPLIT.split(line)) if re.search(r"[^\W\d_]", part)]
        names = [name for part in parts for name in _people(part, words=2)]
        if names and len(names) == len(parts):
            yield from names


def _people(text: str, words: int = 1) -> Iterator[str]:
    for part in _SPLIT.split(_NEXT_LABEL.sub("", text)):
        name = _plain(part)
        if _is_name(name, words):
            yield name


def _plain(text: str) -> str:
    """The text on one line, without markup, quotes and student numbers."""
    return " ".join(_NUMBER.sub("", _BULLET.sub("", text)).split()).strip(" \"'*_`.:-()[]{}#>=•·")


def _is_name(name: str, fewest: int) -> bool:
    words = name.split()
    return (
        fewest <= len(words) <= 6
        and 2 <= len(name) <= 60
        and all(c.isalpha() or c in " .'’-" for c in name)
        and all(word[0].isupper() or word in _PARTICLES or not word[0].isascii() for word in words)
        and not all(word in _PARTICLES for word in words)
        and not any(word.lower().strip(".") in _NO_NAMES for word in words)
    )
