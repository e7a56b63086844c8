"""Removes paths of the grading machine from a page for students.

A notebook can read the host's paths of its inputs in /proc/self/mountinfo, and print them. Every traceback shows the
path of Python and its packages, which is often in the instructor's home folder.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable
from html import escape
from pathlib import Path

_INSTEAD = "⋯"
_OF_ALL_MACHINES = Path("/usr")  # where Python is in any machine's sandbox
_FEWEST_PARTS = 3  # of a path, with the root: a short one like `/work` is also a folder of the sandbox


def without_host_paths(page: str, folders: Iterable[Path]) -> str:
    """The HTML page without the paths of these folders, of the software, and of the harness's temporary folders."""
    return re.sub(host_paths(tuple(folders)), _INSTEAD, page)


def host_paths(folders: tuple[Path, ...]) -> str:
    """The pattern of these paths: what decides which words a page loses."""
    pythons = [path for path in map(Path, (sys.prefix, sys.base_prefix)) if not path.is_relative_to(_OF_ALL_MACHINES)]
    whole = {path for folder in (*folders, *pythons) for path in (folder.absolute(), folder.resolve())}
    named = sorted((str(path) for path in whole if len(path.parts) >= _FEWEST_PARTS), key=len, reverse=True)
    written = [form for name in named for form in _forms(name)]
    temporary = rf"{re.escape(tempfile.gettempdir())}/harness-[\w.-]+"
    return "|".join([*map(re.escape, written), temporary])


def _forms(name: str) -> tuple[str, ...]:
    """The path as escaped in a page, and in the page inside it that shows the notebook."""
    once = escape(name).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")  # as markupsafe escapes
    return tuple(dict.fromkeys((name, once, once.replace("&", "&amp;"))))
