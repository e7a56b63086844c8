"""The stream that the agent reads on stdin: a line of settings, the request, then the images one after another.

Images are never in a sandbox's file system, where code inside could open them and read their names, sizes, times and
inodes. They are read from the disk one at a time while they are sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_PIECE = 1 << 18  # bytes that are written at once

Images = Mapping[str, Sequence[Path]]


class Feed:
    """The bytes for one job's agent, in pieces, for a non-blocking stream."""

    def __init__(self, request: bytes, settings: Mapping[str, object], images: Images) -> None:
        """Raises `OSError` for an image that is missing."""
        sizes = {name: [file.stat().st_size for file in files] for name, files in images.items()}
        line = json.dumps({**settings, "request_bytes": len(request), "images": sizes}).encode() + b"\n"
        self._pieces = _pieces(line + request, images, sizes)
        self._left = memoryview(b"")

    def write_to(self, write: Callable[[memoryview], int]) -> bool:
        """Pass the next piece to `write`, which returns how many bytes it took; return whether everything was sent.

        A closed stream counts as done, because the job has ended. Raises `OSError` if an image's size changed since
        it was announced.
        """
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        if not self._left:
            return True
        try:
            taken = write(self._left[:_PIECE])
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            return True
        self._left = self._left[taken:]
        return False


def _pieces(head: bytes, images: Images, sizes: Mapping[str, Sequence[int]]) -> Iterator[bytes]:
    yield head
    for name, files in images.items():
        for file, size in zip(files, sizes[name], strict=True):
            content = file.read_bytes()
            if len(content) != size:
                raise OSError(f"{file}: its size changed while it was sent")
            if content:
                yield content
