"""Reads what a student wrote in a notebook, code and words, within limits; nothing is run."""

from __future__ import annotations

from pathlib import Path

from .. import notebook_file
from ..notebook_file import NoNotebook
from ..plain import plain
from .sources import Unreadable

LARGEST = 64 * 2**20  # bytes
MOST = 40_000  # characters of one notebook: as JSON, at most 12 bytes each, below the limit of an answer
_OF_CELL = 8_000  # characters: one long cell does not hide the others
_CELLS = 1_000


def texts(notebook: Path) -> dict[str, object]:
    """`cells`: [number from 1, whether it is code, text]; `cut`: whether there is more. Raises `Unreadable`."""
    try:
        document = notebook_file.read(notebook, LARGEST)
    except NoNotebook as why:
        raise Unreadable(str(why)) from None
    found: list[tuple[int, bool, str]] = []
    left = MOST
    cells = notebook_file.cells(document)
    cut = len(cells) > _CELLS
    for number, cell in enumerate(cells[:_CELLS], start=1):
        source = notebook_file.source(cell)
        text = plain(source[: min(left, _OF_CELL)])
        cut = cut or len(source) > min(left, _OF_CELL)
        left -= len(text)
        if text.strip():
            found.append((number, notebook_file.is_code(cell), text))
    return {"cells": found, "cut": cut}
