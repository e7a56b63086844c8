"""The notebook of a rerun: only the text of its cells, and a measure of the data in that text."""

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
# Measured: notebooks of courses and tutorials have up to 0.4 KB in literals and comments, and 1 KB in names; thorough
# students have a few times that. The smallest head on a pre-trained network, 5 classes by 1280 features as bytes,
# takes 6.4 KB.
# The limits hold for each part and for all together, since a running notebook can read names, code and text.
_USUAL_LITERALS, _USUAL_NAMES, _USUAL_SPACES, _USUAL_CODE, _USUAL_PROSE = 2048, 4096, 1024, 6144, 6144
_USUAL_IN_ALL = 7168


@dataclass(frozen=True, slots=True)
class Carried:
    """An upper bound on the data in a notebook's source, in bytes, and the cell or module with the largest part."""

    information: int
    usual: int
    where: str  # empty when nothing is unusual
    there: int

    def values(self) -> dict[str, Any]:
        return {"information": self.information, "usual": self.usual, "where": self.where, "there": self.there}


def rewritten(notebook: Any) -> bytes:
    """A notebook file with the cell sources only: no metadata, outputs, attachments, identifiers or images in text.

    `notebook`: from `reading.read`. Raises `Unreadable` for more than 1 MiB of text.
    """
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
    """A text cell without the images that it embeds as data."""
    return _DATA_ADDRESS.sub("", text)


def carried(code: Sequence[str], texts: Sequence[str], modules: Mapping[str, str], files: Mapping[str, str]) -> Carried:
    """The data in code cells, other cells, Python modules and further text files.

    In code, literals, comments and lines that are not Python count; very long code counts whole. In prose, runs that
    are not words count; very long prose counts whole. Further files count whole.
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
