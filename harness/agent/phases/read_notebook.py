"""The phase `read_notebook`: reads a notebook as it was handed in, without running it.

The request holds `notebook` (path in the submission), `steps` and `questions` (what the assignment asks for,
lists of names). Sent: `reading.json`; or `refused.json` with a reason for the student.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..notebook.headings import sections
from ..notebook.output_parsing import shown
from ..notebook.reading import Unreadable, code_cells, read
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
    reply = {"code_cells": len(cells), "shown": shown(cells), **found}
    send("reading.json", json.dumps(reply).encode("utf-8", "replace"))
