"""An upper bound, in bytes, on the data that could be hidden in a notebook's source.

Text cannot carry more data than its lossless compression has bytes, whatever the encoding: base64, digits, ideograms
or words. So the size is measured, and no encoding needs to be recognised.
"""

from __future__ import annotations

import ast
import bz2
import io
import re
import tokenize
import warnings
import zlib
from collections.abc import Iterable

from ..notebook.cell import PYTHON_CELL_MAGICS, cell_magic, is_ipython, python_of, tree_of

# Longest word of prose: a longer run without a space, other than an address or path, counts as data.
_LONGEST_WORD = 40
_NO_PROSE = re.compile(rf"\S{{{_LONGEST_WORD + 1},}}")


def bound(parts: Iterable[str]) -> int:
    """An upper bound on the texts' information, in bytes: their length when compressed together, the shorter of two."""
    text = "\n".join(parts).encode("utf-8", "surrogatepass")
    return min(len(zlib.compress(text, 9)), len(bz2.compress(text))) if text.strip() else 0


def literals(source: str) -> list[str]:
    """A code cell's text besides names and syntax: constants, docstrings, comments, and lines that are not Python."""
    magic = cell_magic(source)
    if magic is not None and magic not in PYTHON_CELL_MAGICS:
        return [source]
    lines = [line for line in source.split("\n") if is_ipython(line) or line.lstrip().startswith("%%")]
    tree = tree_of(source)
    if tree is None:
        return [source]
    constants = [_text(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [*lines, *constants, *_comments(source)]


def names(source: str) -> str:
    """The source without its literals, as far as it parses: what identifiers and their order could carry."""
    tree = tree_of(source)
    if tree is None:
        return ""
    found = [
        value
        for node in ast.walk(tree)
        for _, value in ast.iter_fields(node)
        if isinstance(value, str) and not isinstance(node, ast.Constant)
    ]
    return " ".join(found)


def no_prose(text: str) -> list[str]:
    """The runs in a text that are longer than any word, and neither address nor path."""
    return [run for run in _NO_PROSE.findall(text) if "://" not in run]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, int) and value.bit_length() > 4096:
        return hex(value)  # decimal conversion is slow, and Python refuses it for huge numbers
    return str(value)


def _comments(source: str) -> list[str]:
    found = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for token in tokenize.generate_tokens(io.StringIO(python_of(source)).readline):
                if token.type == tokenize.COMMENT:
                    found.append(token.string)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return [*found, source]
    return found
