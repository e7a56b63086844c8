"""The images of a job: they follow the request on stdin, and only this process ever holds them.

Each list comes in an order that the harness drew for this job alone. Nothing of a student's runs in this process, and
no other process here can open its memory or its files (it is not dumpable), so there is nothing about an image
to be learnt but what this process hands on: pixels.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO


class Incoming:
    """The images still to come, list by list."""

    def __init__(self, stream: BinaryIO, sizes: Mapping[str, Sequence[int]]) -> None:
        """`sizes`: list -> bytes of each image, in the order in which they are sent."""
        self._stream = stream
        self._lists = [(name, list(of)) for name, of in sizes.items() if of]
        self._close_if_empty()

    def take(self, name: str) -> Iterator[bytes]:
        """The encoded images of one list; none where no such list was sent.

        Lists are taken whole, in the order in which they were sent. Raises `EOFError` when the stream ends too early.
        """
        if all(name != other for other, _ in self._lists):
            return
        if self._lists[0][0] != name:
            raise ValueError(f"the list {self._lists[0][0]!r} comes before {name!r}")
        for size in self._lists[0][1]:
            content = self._stream.read(size)
            if len(content) != size:
                raise EOFError("an image was cut off")
            yield content
        del self._lists[0]
        self._close_if_empty()

    def _close_if_empty(self) -> None:
        """Stdin becomes empty after the last image: children inherit nothing to read."""
        if not self._lists:
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.close(nothing)
