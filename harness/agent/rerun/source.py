"""The notebook of a rerun: the text of its cells and nothing else, and how much data that text carries."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..notebook.reading import PYTHON_ASSUMED, Unreadable
from .embedded import bound, literals, names, no_prose

MOST_BYTES = 2**20  # of all cells' text
_PYTHON = {"display_name": "Python 3", "language": "python", "name": "python3"}
_WORD = re.compile(r"\S+")
# An image inside the text of a cell that is not code.
_DATA_ADDRESS = re.compile(r"data:[\w.+/-]*(?:;[\w=-]+)*,[^\s)\"'>]*", re.IGNORECASE)
# Measured: notebooks of courses and tutorials have up to 0.4 KB in literals and comments, and 1 KB in names; a student
# who explains more has some times that. The smallest head of a pre-trained network, 5 classes of 1280 features as
# bytes, takes 6.4 KB.
# It may stand in none of them, nor in all together: names, code and text can be read when the notebook runs.
_USUAL_LITERALS, _USUAL_NAMES, _USUAL_SPACES, _USUAL_CODE, _USUAL_PROSE = 2048, 4096, 1024, 6144, 6144
_USUAL_IN_ALL = 7168


@dataclass(frozen=True, slots=True)
class Carried:
    """Data in a notebook's source, in bytes at most, and the cell or module that holds the largest part."""

    information: int
    usual: int
    where: str  # empty when nothing is unusual
    there: int

    def values(self) -> dict[str, Any]:
        return {"information": self.information, "usual": self.usual, "where": self.where, "there": self.there}


def rewritten(notebook: Any) -> bytes:
    """The notebook, as `reading.read` gives it, as a file: sources alone, without what metadata, outputs, attachments,
    identifiers and images in the text carry along. Raises `Unreadable` for more text than 1 MiB."""
    cells: list[dict[str, Any]] = []
    for number, cell in enumerate(notebook.cells, 1):
        plain: dict[str, Any] = {"cell_type": cell.cell_type, "id": f"cell-{number}", "metadata": {}}
        if cell.cell_type == "code":
            plain |= {"source": cell.source, "outputs": [], "execution_count": None}
        else:
            plain["source"] = prose(cell.source)
        cells.append(plain)
    if sum(len(cell["source"].encode("utf-8", "replace")) for cell in cells) > MOST_BYTES:
        raise Unreadable(f"its cells hold more than {MOST_BYTES // 2**20} MiB of text")
    metadata = {} if notebook.metadata.get(PYTHON_ASSUMED) else {"kernelspec": _PYTHON}
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1).encode()


def prose(text: str) -> str:
    """A text cell without the images that stand in it as data."""
    return _DATA_ADDRESS.sub("", text)


def carried(code: Sequence[str], texts: Sequence[str], modules: Mapping[str, str], files: Mapping[str, str]) -> Carried:
    """What code cells, other cells, Python modules and further text files carry.

    Of code: its literals, comments and lines that are no Python; and the whole of it where it is very long. Of prose
    what is no word; the prose itself where it is very long. Of further files everything.
    """
    parts = {f"code cell {number}": literals(source) for number, source in enumerate(code, 1)}
    parts |= {name: literals(source) for name, source in modules.items()}
    parts |= {"the text": [run for text in texts for run in no_prose(prose(text))]}
    parts |= {name: [content] for name, content in files.items()}
    sources = (*code, *modules.values())
    kinds = [
        (bound(part for held in parts.values() for part in held), _USUAL_LITERALS, ""),
        (bound(map(names, sources)), _USUAL_NAMES, "the names in the code"),
        (bound(_WORD.sub("x", source) for source in sources), _USUAL_SPACES, "the spaces in the code"),
        (bound(sources), _USUAL_CODE, "the code"),
        (bound(map(prose, texts)), _USUAL_PROSE, "the text"),
        (bound((*sources, *map(prose, texts))), _USUAL_IN_ALL, "the code and the text together"),
    ]
    information, usual, where = max(kinds, key=lambda kind: kind[0] / kind[1])
    if information <= usual:
        return Carried(information, usual, "", 0)
    there = information
    if not where:
        sizes = {place: bound(held) for place, held in parts.items()}
        where = max(sizes, key=lambda place: sizes[place])
        there = sizes[where]
    return Carried(information, usual, where, there)
