"""The images of a job, which follow the request on stdin. Only this process ever holds them.

The harness draws the order of each list for this job alone. No student code runs in this process, and no other process
in the sandbox can open its memory or files (it is not dumpable). So student code learns nothing about an image but the
pixels that this process passes on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO


class Incoming:
    """The images that were not read yet, list by list."""

    def __init__(self, stream: BinaryIO, sizes: Mapping[str, Sequence[int]]) -> None:
        """`sizes`: list -> bytes of each image, in the order in which they are sent."""
        self._stream = stream
        self._lists = [(name, list(of)) for name, of in sizes.items() if of]
        self._close_if_empty()

    def take(self, name: str) -> Iterator[bytes]:
        """The encoded images of one list; nothing where no such list was sent.

        Take each list whole, in the order in which they were sent. Raises `EOFError` when the stream ends too early.
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
        """After the last image, make stdin empty, so that children inherit nothing to read."""
        if not self._lists:
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.close(nothing)
