"""JSON of a stranger's, looked at before it is parsed: how large, how deep, and how many values and keys it has.

A parser makes of one byte up to some hundred, and a validator some thousand of a key that a schema forbids.
"""

from __future__ import annotations

import re
from pathlib import Path

MOST_BYTES = 2**20
_MOST_VALUES = 50_000  # keys count, too
_DEEPEST = 32
_LONGEST_NUMBER = 400  # characters: converting a number takes the square of its length

# Strings are taken whole, one without an end up to the end: no byte is looked at twice.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
_LONG_NUMBER = re.compile(rb"[0-9.eE+-]{%d}" % _LONGEST_NUMBER)
_BRACKET = re.compile(rb"[][{}]")


class Unbounded(Exception):
    """It is not read; the message says why, without its content."""


def read_bounded(file: Path) -> bytes:
    """The file's bytes, to be parsed as JSON. Raises `Unbounded`, and `OSError`."""
    with file.open("rb") as stream:
        content = stream.read(MOST_BYTES + 1)
    check(content)
    return content


def check(content: bytes) -> None:
    """Raises `Unbounded` where it would cost much more to parse than its bytes."""
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
