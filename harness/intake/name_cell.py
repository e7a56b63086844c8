"""Who made a notebook, by its cell with names.

A notebook is a stranger's file, so this is no more than the trust boundary allows: strict JSON, cell by cell, from
the file's first 256 KB only, so neither its size nor its nesting costs anything. Nothing is run, decoded or rendered,
and names decide nothing but what is shown and whom a group's marks are exported for.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_READ_BYTES = 256_000
_CELLS = 6  # names stand at the top
_MOST_NAMES = 12

_LABEL = re.compile(
    r"^[\s#>*_\-|]*(?:(?:student|group|team|your|full|author|studenten|groeps?|naam van de)[\s_-]*)?"
    r"(?:names?|namen|naam|noms?|nombres?|authors?|auteurs?|autoren|students?|studenten|(?:group |team )?members?"
    r"|groepsleden|made by|door|by)(?:[\s_-]*(?:\d|one|two|three|four|[ab]))?[*_\s]*(?:\([^)]{0,60}\))?[*_\s]*"
    r"(?P<separator>[:=|])\s*(?P<value>.*)$",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"^\s*#+\s*(?:\d+[.)]?\s*)?(?:your |student |group )?(?:names?|namen|members|students|authors?)\s*:?\s*$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(?P<value>.+)$")
_NUMBER = re.compile(r"\(?\b(?:s|st|id|nr|no|#)?[ .:]*\d{4,}\)?", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"\.{2,}|_{2,}|<.*>|\[.*\]|\b(?:your|fill|todo|tbd|name|names|naam|student|here|xxx+|lorem|none|n/?a)\b",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"\s*(?:[,;/&+|]|\band\b|\ben\b|\bund\b|\bet\b|<br\s*/?>)\s*", re.IGNORECASE)


def names_in(notebook: Path) -> tuple[str, ...]:
    """The names at the top of the notebook, each once; none when there are none or it cannot be read."""
    for source in _first_cells(notebook):
        names = list(dict.fromkeys(_names(source)))[:_MOST_NAMES]
        if names:
            return tuple(names)
    return ()


def _first_cells(notebook: Path) -> Iterator[str]:
    """The text of the first cells, as far as the beginning of the file holds them."""
    try:
        handle = os.open(notebook, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as stream:
            text = stream.read(_READ_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return
    cells = re.search(r'"cells"\s*:\s*\[', text)
    at = cells.end() if cells else len(text)
    decoder = json.JSONDecoder()
    for _ in range(_CELLS):
        at = re.compile(r"[\s,]*").match(text, at).end()  # type: ignore[union-attr]
        try:
            cell, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield _source(cell)


def _source(cell: Any) -> str:
    source = cell.get("source", "") if isinstance(cell, dict) else ""
    lines = source if isinstance(source, list) else [source]
    return "".join(line for line in lines if isinstance(line, str))[:10_000]


def _names(source: str) -> Iterator[str]:
    below_heading = False
    for line in source.splitlines()[:60]:
        label, bullet = _LABEL.match(line), _BULLET.match(line)
        if label:
            yield from _people(label["value"])
        elif below_heading and (bullet or line.strip()):
            yield from _people(bullet["value"] if bullet else line)
        if line.strip():
            below_heading = (
                bool(_HEADING.match(line))
                or bool(label and not label["value"].strip(" *_"))
                or (below_heading and not line.lstrip().startswith("#"))
            )


def _people(text: str) -> Iterator[str]:
    for part in _SPLIT.split(text.strip("[](){} ")):
        name = _NUMBER.sub("", part).strip(" \t\"'*_`.:-()[]{}#")
        words = name.split()
        if (
            1 <= len(words) <= 6
            and 2 <= len(name) <= 60
            and not _PLACEHOLDER.search(name)
            and all(word[0].isalpha() for word in words)
            and all(c.isalpha() or c in " .'’-" for c in name)
            and any(word[0].isupper() or not word[0].isascii() for word in words)
        ):
            yield " ".join(words)
