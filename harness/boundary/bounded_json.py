"""Checks untrusted JSON before it is parsed: its size, depth, and number of values and keys.

A parser may take some hundred bytes for one byte, and a validator some thousand for a key that a schema forbids.
"""

from __future__ import annotations

import re
from pathlib import Path

MOST_BYTES = 2**20
_MOST_VALUES = 50_000  # keys count, too
_DEEPEST = 32
_LONGEST_NUMBER = 400  # characters; converting a number takes quadratic time

# A string is matched whole, or up to the end of the text if it is not closed, so no byte is read twice.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
_LONG_NUMBER = re.compile(rb"[0-9.eE+-]{%d}" % _LONGEST_NUMBER)
_BRACKET = re.compile(rb"[][{}]")


class Unbounded(Exception):
    """The JSON exceeds a limit. The message says which, without quoting the content."""


def read_bounded(file: Path) -> bytes:
    """The file's bytes, to be parsed as JSON. Raises `Unbounded`, and `OSError`."""
    with file.open("rb") as stream:
        content = stream.read(MOST_BYTES + 1)
    check(content)
    return content


def check(content: bytes) -> None:
    """Raise `Unbounded` where parsing could cost much more than the bytes suggest."""
    if len(content) > MOST_BYTES:
        raise Unbounded(f"is larger than {MOST_BYTES} bytes")
    structure = _STRING.sub(b"", content)
    if structure.count(b",") + structure.count(b":") > _MOST_VALUES:
        raise Unbounded(f"holds more than {_MOST_VALUES:,} values")
    if _LONG_NUMBER.search(structure):
        raise Unbounded("holds a number that is too long")
    depth = 0
    for count, bracket in enumerate(_BRACKET.finditer(structure)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > _DEEPEST:
            raise Unbounded("is nested too deep")
        if count > 2 * _MOST_VALUES:
            raise Unbounded(f"holds more than {_MOST_VALUES:,} values")
