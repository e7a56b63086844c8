"""Finds the modules that a notebook imports, in a separate process (`apart/submissions/imports.py`); it is not run."""

from __future__ import annotations

from pathlib import Path

from harness.inputs.submissions.child import ask_alone, path_text


def imported_modules(notebook: Path) -> frozenset[str]:
    """The top-level modules that the code cells import; empty for a file that is not a notebook.

    Raises `Unreadable` where it is not known: reading took too long, as on a busy machine, or was ended.
    """
    names = ask_alone("imports", notebook=path_text(notebook.absolute()))
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()
