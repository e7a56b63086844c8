"""Reads the texts of notebooks in a separate process (`apart/submissions/texts.py`); none is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.inputs.submissions.child import Children, Refused, Unreadable, path_text


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that is not empty; `number` counts all cells from 1."""

    number: int
    is_code: bool
    text: str


@dataclass(frozen=True, slots=True)
class NotebookTexts:
    """The cells of one notebook; `cut`: there is more than was read, or nothing could be read."""

    cells: tuple[Cell, ...]
    cut: bool


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cells: list[tuple[int, bool, str]]
    cut: bool


def notebook_texts(notebook: Path, children: Children) -> NotebookTexts:
    """At most 40,000 characters of its cells, without invisible characters."""
    try:
        said = _Said.model_validate(children.ask("texts", notebook=path_text(notebook.absolute())))
    except (Unreadable, Refused, ValidationError):
        return NotebookTexts((), cut=True)
    return NotebookTexts(tuple(Cell(*one) for one in said.cells), said.cut)
