"""Folders of the grading machine, taken out of a page that is given away.

A notebook can read where its inputs lie on the host in /proc/self/mountinfo, and print it. Where Python and its
packages lie, every traceback tells: in the home folder of whoever grades, often.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable
from html import escape
from pathlib import Path

_INSTEAD = "⋯"
_OF_ALL_MACHINES = Path("/usr")  # Python is there in the sandbox of any machine
_FEWEST_PARTS = 3  # of a path, the root among them: `/work` is a folder of the sandbox, too


def without_host_paths(page: str, folders: Iterable[Path]) -> str:
    """The HTML page without the names of these folders, of the software's and of the harness's temporary ones."""
    pythons = [path for path in map(Path, (sys.prefix, sys.base_prefix)) if not path.is_relative_to(_OF_ALL_MACHINES)]
    whole = {path for folder in (*folders, *pythons) for path in (folder.absolute(), folder.resolve())}
    named = sorted((str(path) for path in whole if len(path.parts) >= _FEWEST_PARTS), key=len, reverse=True)
    written = [form for name in named for form in _forms(name)]
    temporary = rf"{re.escape(tempfile.gettempdir())}/harness-[\w.-]+"
    return re.sub("|".join([*map(re.escape, written), temporary]), _INSTEAD, page)


def _forms(name: str) -> tuple[str, ...]:
    """The name as text of a page, and of the page inside it that shows the notebook."""
    once = escape(name).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")  # as markupsafe writes them
    return tuple(dict.fromkeys((name, once, once.replace("&", "&amp;"))))
