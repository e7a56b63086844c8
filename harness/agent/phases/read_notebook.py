"""The phase `read_notebook`: reads a notebook as it was handed in, without running it.

The request holds `notebook` (path in the submission), `steps` and `questions` (what the assignment asks for,
lists of names). Sent: `reading.json`; or `refused.json` with a reason for the student.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..notebook import surrogates
from ..notebook.headings import sections
from ..notebook.output_parsing import shown
from ..notebook.reading import HALVES, Unreadable, code_cells, read
from ..paths import IN
from .refusal import refuse

Send = Callable[[str, Path | bytes], None]


def run(request: dict[str, Any], send: Send) -> None:
    """Read the notebook and send the result."""
    try:
        notebook = read(IN / "submission" / request["notebook"])
    except Unreadable as error:
        refuse(send, str(error))
        return
    cells = code_cells(notebook)
    found = sections(notebook.cells, request["steps"], request["questions"])
    replaced = min(notebook.metadata[HALVES], 10**6)
    reply = {"code_cells": len(cells), "half_characters": replaced, "shown": shown(cells), **found}
    send("reading.json", surrogates.encoded(reply))
