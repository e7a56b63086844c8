"""Which modules a notebook's code imports: read in a process of its own (`apart/submissions/imports.py`), never run."""

from __future__ import annotations

from pathlib import Path

from harness.inputs.submissions.child import Unreadable, ask_alone, path_text


def imported_modules(notebook: Path) -> frozenset[str]:
    """The top-level modules that its code cells import; empty for a file that is no notebook."""
    try:
        names = ask_alone("imports", notebook=path_text(notebook.absolute()))
    except Unreadable:
        return frozenset()
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()
