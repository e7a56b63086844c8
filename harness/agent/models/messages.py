"""Messages between the agent and the process that runs a student's code: a line of JSON, then perhaps an array.

They are never pickles. The other side may send anything, so sizes are checked before reading.
"""

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_LINE = 4 * 2**20  # bytes; the longest message describes a model's 5000 layers
_ARRAY = 64 * 2**20  # bytes of an answer; 8 images with a million classes take half of it
_DTYPES = ("float32", "uint8")
_DIMENSIONS = 4


class Malformed(Exception):
    """The other side broke the message format."""


def write(stream: BinaryIO, said: dict[str, Any], array: NDArray[Any] | None = None) -> None:
    """Send `said`, and an array of float32 or uint8. Raises `OSError` when the other side is gone."""
    given = None if array is None else np.ascontiguousarray(array)
    described = None if given is None else {"dtype": given.dtype.name, "shape": given.shape}
    stream.write(json.dumps({"said": said, "array": described}).encode() + b"\n")
    if given is not None and given.size:  # a view of nothing cannot be cast
        stream.write(given.data.cast("B"))
    stream.flush()


def read(stream: BinaryIO, most_bytes: int | None = _ARRAY) -> tuple[dict[str, Any], NDArray[Any] | None]:
    """The next message; its array has at most `most_bytes` (None: no bound, for a trusted sender).

    Raises `EOFError` when the other side is gone, `Malformed` when it broke the format.
    """
    line = stream.readline(_LINE)
    if not line:
        raise EOFError("the other side is gone")
    try:
        message = json.loads(line)
        said, described = message["said"], message["array"]
        if not isinstance(said, dict):
            raise Malformed("a message without words")
        return said, None if described is None else _array(stream, described, most_bytes)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed(f"no message: {type(error).__name__}") from error


def _array(stream: BinaryIO, described: dict[str, Any], most_bytes: int | None) -> NDArray[Any]:
    name, shape = described["dtype"], described["shape"]
    if name not in _DTYPES or not isinstance(shape, list) or not 1 <= len(shape) <= _DIMENSIONS:
        raise Malformed("an array of another kind")
    if not all(type(side) is int and 0 <= side <= 2**31 for side in shape):
        raise Malformed("an array of no shape")
    dtype = np.dtype(name)
    size = math.prod(shape) * dtype.itemsize
    if most_bytes is not None and size > most_bytes:
        raise Malformed(f"an array of {size} bytes")
    content = stream.read(size)
    if len(content) != size:
        raise EOFError("the other side is gone")
    return np.frombuffer(content, dtype).reshape(shape)
