"""`os.mkdir('data')` of a folder that is there: the images lie in it, or it was handed in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ..cell import Edit, calls, dotted, edited, in_shell_cell, keyword, last_name, shell_lines, span_of, text_of
from ..rule_context import Setting

TITLE = "A folder that the notebook makes may be there already: os.mkdir(x) as os.makedirs(x, exist_ok=True)"
ON = True
LAST = True

_SHELL = re.compile(r"^mkdir\s+(?!-)(\S+)$")


def apply(source: str, setting: Setting) -> str:
    reads = setting.reads
    if reads is None or ("mkdir" not in source and "makedirs" not in source):
        return source

    def change(command: str) -> str | None:
        found = _SHELL.match(command)
        return f"mkdir -p {found[1]}" if found and _is_there(setting.here, found[1].strip("'\"")) else None

    if in_shell_cell(source):  # elsewhere a command that fails stops nothing
        return shell_lines(source, change)
    edits: list[Edit] = []
    for call in calls(source, "mkdir", "makedirs"):
        if any(_is_there(setting.here, folder) for folder in reads.folders_of(call)):
            edits += _tolerant(source, call)
    return edited(source, edits)


def _is_there(here: Path, folder: str) -> bool:
    try:
        return folder not in ("", ".") and (here / folder).is_dir()
    except (OSError, ValueError):  # a name that no file system takes
        return False


def _tolerant(source: str, call: ast.Call) -> Iterator[Edit]:
    """The call with `exist_ok=True`; `os.mkdir`, which has no such argument, as `os.makedirs`."""
    if keyword(call, "exist_ok") is not None or any(isinstance(given, ast.Starred) for given in call.args):
        return
    of_os = last_name(call.func) == "makedirs" or dotted(call.func) == "os.mkdir" or isinstance(call.func, ast.Name)
    if of_os:
        if not call.args:
            return
        yield Edit(span_of(source, call), f"__import__('os').makedirs({text_of(source, call.args[0])}, exist_ok=True)")
    else:
        end = span_of(source, call)[1] - 1
        before = source[span_of(source, call.func)[1] + 1 : end].strip()
        comma = ", " if before and not before.endswith(",") else ""
        yield Edit((end, end), f"{comma}exist_ok=True")
