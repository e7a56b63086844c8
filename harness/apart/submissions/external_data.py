"""Reads which files an ONNX file's weights lie in, from its protobuf; no weight is read, and nothing is kept of it.

Only the messages on the way to a tensor's `external_data` are entered: the graph, graphs inside its nodes, sparse
tensors, attributes and the model's functions. All else is skipped by its length.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_MOST = 100  # files; torch writes one, others one for each tensor
_LONGEST = 500  # characters of a location
_DEEPEST = 64  # messages in messages

# Message -> field -> message, as onnx.proto numbers them.
_WAYS = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 11: "attribute"},
    "tensor": {13: "entry"},
}
_SIZES = {1: 8, 5: 4}  # bytes of the fixed-size fields


def locations(file: Path) -> list[str]:
    """The locations that the file names, in the order of their first use; empty for a file that is no ONNX.

    Raises `ValueError` for a file that names more than can be looked for.
    """
    found: dict[str, None] = {}
    with file.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        try:
            _walk(stream, "model", 0, size, found, 0)
        except (EOFError, RecursionError):
            return []
    return list(found)


def _walk(stream: BinaryIO, message: str, start: int, end: int, found: dict[str, None], depth: int) -> None:
    """Look into a message that lies between two places of the file. Raises `EOFError` where it is none."""
    if depth > _DEEPEST:
        raise EOFError("no such message")
    ways, position = _WAYS[message], start
    while position < end:
        tag, position = _number(stream, position)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            _, position = _number(stream, position)
        elif wire in _SIZES:
            position += _SIZES[wire]
        elif wire == 2:
            length, position = _number(stream, position)
            if position + length > end:
                raise EOFError("longer than what it is in")
            inner = ways.get(field)
            if inner == "entry":
                stream.seek(position)
                _entry(stream, length, found)
            elif inner is not None:
                _walk(stream, inner, position, position + length, found, depth + 1)
            position += length
        else:
            raise EOFError("no protobuf")


def _entry(stream: BinaryIO, length: int, found: dict[str, None]) -> None:
    """Keep the value of an entry `location`."""
    if length > 4 * _LONGEST:
        return
    content, position, said = stream.read(length), 0, {}
    while position < length:
        tag, position = _byte_number(content, position)
        size, position = _byte_number(content, position)
        if tag & 7 != 2:
            raise EOFError("no text")
        said[tag >> 3] = content[position : position + size]
        position += size
    if said.get(1) == b"location":
        location = said.get(2, b"").decode("utf-8", "replace")
        if location and len(location) <= _LONGEST:
            found[location] = None
    if len(found) > _MOST:
        raise ValueError(f"its weights lie in more than {_MOST} files")


def _number(stream: BinaryIO, position: int) -> tuple[int, int]:
    """The variable-length number at a place, and the place behind it."""
    stream.seek(position)
    return _varint(stream.read(10), position)


def _byte_number(content: bytes, position: int) -> tuple[int, int]:
    return _varint(content[position : position + 10], position)


def _varint(content: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(content):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise EOFError("no number")
