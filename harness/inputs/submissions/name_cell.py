"""Finds a notebook's authors by its cell with names, in a separate process (`apart/submissions/name_cell.py`)."""

from __future__ import annotations

from pathlib import Path

from harness.inputs.submissions.child import Unreadable, ask_alone, path_text

_MOST_NAMES, _MOST_CHARACTERS = 12, 60


def names_in(notebook: Path) -> tuple[str, ...]:
    """The names at the top of the notebook, each once; empty when there are none or it cannot be read."""
    try:
        names = ask_alone("names", notebook=path_text(notebook.absolute()))
    except Unreadable:
        return ()
    found = [name[:_MOST_CHARACTERS] for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return tuple(dict.fromkeys(found))[:_MOST_NAMES]
