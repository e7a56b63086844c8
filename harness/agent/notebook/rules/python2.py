"""Python 2: `print x`, `xrange`, `reload(module)`; only where the cell is no Python 3, or uses what is gone."""

from __future__ import annotations

import ast
import re

from ..cell import Edit, edited, is_ipython, nodes, span_of, tree_of
from ..rule_context import Setting

TITLE = "Python 2 is written as Python 3: print x as print(x), xrange as range"
ON = True
ORDER = -1  # first, since the other rules parse Python 3 only

_PRINT = re.compile(r"^(\s*(?:[^#'\"]*:\s+)?)print(?:[ \t]+(?!\s*=)(.*?))?(,?)[ \t]*(#.*)?$")
_STREAM = re.compile(r"^>>\s*(\w[\w.]*)\s*,\s*(.*)$")
_EXCEPT = re.compile(r"^(\s*except\s+[\w.() ,]+?)\s*,\s*(\w+)\s*:")
_GONE = {"xrange": "range", "raw_input": "input", "unicode": "str", "unichr": "chr", "basestring": "str"}


def apply(source: str, setting: Setting) -> str:
    if tree_of(source) is None:
        changed = "\n".join(line if is_ipython(line) else _line(line) for line in source.split("\n"))
        source = changed if tree_of(changed) is not None else source
    edits = [
        Edit(span_of(source, node), _GONE[node.id])
        for node in nodes(source)
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and node.id in _GONE
        and _is_theirs(node.id, setting)
    ]
    if re.search(r"\breload\(", source) and not setting.mentions("import reload"):
        edits += [
            Edit(span_of(source, node), "__import__('importlib').reload")
            for node in nodes(source)
            if isinstance(node, ast.Name) and node.id == "reload"
        ]
    return edited(source, edits)


def _is_theirs(name: str, setting: Setting) -> bool:
    """Whether the name is Python 2's and not defined by the notebook."""
    return not any(
        re.search(rf"(^|\n)\s*{name}\s*=|import .*\b{name}\b|def {name}\(", text) for text in setting.sources
    )


def _line(line: str) -> str:
    line = _EXCEPT.sub(r"\1 as \2:", line)
    found = _PRINT.match(line)
    if found is None:
        return line
    before, what, comma, comment = found[1], found[2] or "", found[3], found[4] or ""
    if stream := _STREAM.match(what):
        what = f"{stream[2]}, file={stream[1]}"
    end = ", end=' '" if comma else ""
    return f"{before}print({what}{end}){'  ' + comment if comment else ''}"
