"""A code cell's source: separates Python from IPython lines, and makes edits that keep everything else."""

from __future__ import annotations

import ast
import functools
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

PYTHON_CELL_MAGICS = ("time", "timeit", "capture", "prun", "memit")  # what follows them is Python
_SHELL_CELL_MAGICS = ("bash", "sh", "shell", "script", "system", "sx")
_SHELL = re.compile(r"^(\s*)((?:[A-Za-z_]\w*\s*=\s*)?!{1,2})(?!=)(.*)$", re.DOTALL)
_MAGIC = re.compile(r"^\s*(?:[A-Za-z_][\w, ]*=\s*)?%(?!%)[A-Za-z_]\w*")
_HELP = re.compile(r"^\s*(?:\?{1,2}\s*[\w.*]+|[\w.]+\?{1,2})\s*$")
_TRAINING = re.compile(
    r"^(?:fit|backward|learn|fine_?tune)|train(?!able|loader|_?data|_?set|_test)|epoch", re.IGNORECASE
)

Span = tuple[int, int]  # first and one past the last character


@dataclass(frozen=True, slots=True)
class Edit:
    span: Span
    text: str


def edited(source: str, edits: Iterable[Edit]) -> str:
    """The source with the edits made; of two edits that overlap, only the one that starts first is made."""
    pieces, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        if edit.span[0] < at:
            continue
        pieces += [source[at : edit.span[0]], edit.text]
        at = edit.span[1]
    return "".join([*pieces, source[at:]])


@functools.lru_cache(maxsize=256)
def python_of(source: str) -> str:
    """The source with IPython's lines replaced by `pass`; every line keeps its length."""
    first = cell_magic(source)
    if first is not None and first not in PYTHON_CELL_MAGICS:
        return "\n" * source.count("\n")
    lines, continued = [], False
    for number, line in enumerate(source.split("\n")):
        own = continued or (number == 0 and first is not None) or is_ipython(line)
        lines.append(_blank(line) if own else line)
        continued = own and line.rstrip().endswith("\\")
    return "\n".join(lines)


def _blank(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    return (indent + "pass").ljust(len(line)) if len(line) >= len(indent) + 4 else " " * len(line)


def cell_magic(source: str) -> str | None:
    """The name of the cell magic (`%%bash`) that the source begins with."""
    found = re.match(r"\s*%%(\w+)", source)
    return found[1] if found else None


def is_ipython(line: str) -> bool:
    """Whether a line is IPython's and not Python: a shell command, a magic, a request for help."""
    return bool(_SHELL.match(line) or _MAGIC.match(line) or _HELP.match(line))


@functools.lru_cache(maxsize=256)
def tree_of(source: str) -> ast.Module | None:
    """The syntax tree of the source's Python; None where it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in strings
            return ast.parse(python_of(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def nodes(source: str) -> Iterator[ast.AST]:
    """Every node of the source's tree; none where it does not parse."""
    tree = tree_of(source)
    if tree is not None:
        yield from ast.walk(tree)


def calls(source: str, *names: str) -> Iterator[ast.Call]:
    """The calls of functions or methods with one of these last names."""
    for node in nodes(source):
        if isinstance(node, ast.Call) and last_name(node.func) in names:
            yield node


def is_training(source: str) -> bool:
    """Whether the cell trains a model, as far as the names of what it calls tell."""
    names = (last_name(node.func) for node in nodes(source) if isinstance(node, ast.Call))
    return any(_TRAINING.search(name) for name in names)


def last_name(node: ast.AST) -> str:
    """`c` for `a.b.c`; empty for a node that is neither a name nor an attribute."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted(node: ast.AST) -> str:
    """`a.b.c` in full; empty for a node that is more than names and dots."""
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def keyword(call: ast.Call, name: str) -> ast.keyword | None:
    return next((given for given in call.keywords if given.arg == name), None)


def without(source: str, call: ast.Call, *names: str) -> list[Edit]:
    """Edits that remove the call's arguments of these names, each with the comma before it, or else after it."""
    edits = []
    for given in call.keywords:
        if given.arg not in names:
            continue
        start, end = span_of(source, given)
        before = source[:start].rstrip()
        if before.endswith(","):
            start = len(before) - 1
        elif source[end:].lstrip().startswith(","):
            end = source.index(",", end) + 1
        edits.append(Edit((start, end), ""))
    return edits


def span_of(source: str, node: ast.AST) -> Span:
    """The node's first and end position in the source, in characters."""
    starts = _line_starts(source)
    lines = source.split("\n")

    def at(line: int, column: int) -> int:
        before = lines[line - 1].encode("utf-8", "surrogatepass")[:column]
        return starts[line - 1] + len(before.decode("utf-8", "replace"))

    return at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


def text_of(source: str, node: ast.AST) -> str:
    start, end = span_of(source, node)
    return source[start:end]


@functools.lru_cache(maxsize=256)
def _line_starts(source: str) -> list[int]:
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def shell_lines(source: str, change: Callable[[str], str | None]) -> str:
    """The source with shell commands replaced by what `change` returns for them.

    `change` gets the command without the exclamation mark, with lines that a backslash joins as one. It returns the
    Python or the comment to put in its place, or None to keep the command. In a shell cell it must return a comment.
    """
    whole = cell_magic(source) in _SHELL_CELL_MAGICS
    out: list[str] = []
    lines = source.split("\n")
    at = 0
    while at < len(lines):
        line, last = lines[at], at
        found = _SHELL.match(line)
        command = line.strip() if whole and at else found[3].strip() if found else ""
        while command and lines[last].rstrip().endswith("\\") and last + 1 < len(lines):
            last += 1
            command = command.rstrip("\\ ") + " " + lines[last].strip()
        answer = change(command) if command and not command.startswith("#") else None
        if answer is None:
            out += lines[at : last + 1]
        else:
            indent = line[: len(line) - len(line.lstrip())]
            out += [indent + answer_line for answer_line in answer.split("\n")]
        at = last + 1
    return "\n".join(out)


def comment_out(command: str) -> str:
    """The replacement for a shell command that is not run; `pass` keeps an indented block valid."""
    return f"pass  # not run: {command}"


def in_shell_cell(source: str) -> bool:
    return cell_magic(source) in _SHELL_CELL_MAGICS
