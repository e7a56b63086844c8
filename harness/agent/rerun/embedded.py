"""How much data a notebook's source carries: an upper bound on what could be hidden in it, in bytes.

What was compressed without loss cannot hold more than it was compressed to, whatever code it is written in: base64,
digits, ideograms or words. So nothing is recognised here; it is measured.
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

# Text that is read as prose: a run without a space that is longer, and no address or path, is none.
_LONGEST_WORD = 40
_NO_PROSE = re.compile(rf"\S{{{_LONGEST_WORD + 1},}}")


def bound(parts: Iterable[str]) -> int:
    """The bytes of information in the texts, at most: their length when they are compressed together, by the better."""
    text = "\n".join(parts).encode("utf-8", "surrogatepass")
    return min(len(zlib.compress(text, 9)), len(bz2.compress(text))) if text.strip() else 0


def literals(source: str) -> list[str]:
    """What a code cell holds beside names and syntax: constants, docstrings, comments, and lines that are no Python."""
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
    """The source without its literals, as well as it goes: what identifiers and their order could carry."""
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
    """The runs in a text that are no words: as long as no word, no address and no path is."""
    return [run for run in _NO_PROSE.findall(text) if "://" not in run]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, int) and value.bit_length() > 4096:
        return hex(value)  # digits in base ten take long, and Python refuses them
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
