"""A process's three pipes, read and written by threads: Windows cannot wait for several pipes at once."""

from __future__ import annotations

import os
import queue
import threading
from typing import IO, Literal

from harness.sandbox.feed import Feed
from harness.sandbox.running import Running

_PIECE = 1 << 16
_WAITING_PIECES = 64

Source = Literal["results", "log"]


class ThreadedPipes:
    """Sends the feed, and hands out what the process says, piece by piece, in one thread."""

    def __init__(self, process: Running, feed: Feed) -> None:
        self._said: queue.Queue[tuple[Source, bytes]] = queue.Queue(_WAITING_PIECES)
        self._open = 2  # outputs that have not ended
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        for target, arguments in (
            (_write, (process.stdin, feed)),
            (self._read, ("results", process.stdout)),
            (self._read, ("log", process.stderr)),
        ):
            threading.Thread(target=target, args=arguments, name="sandbox-pipe", daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether both outputs have ended and all that they said was handed out."""
        return self._open == 0

    def next(self, seconds: float) -> tuple[Source, bytes] | None:
        """The next piece and whose it is; None when there is none within `seconds`, or both outputs have ended."""
        if self.ended:
            return None
        try:
            source, piece = self._said.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        if not piece:
            self._open -= 1
            return None
        return source, piece

    def _read(self, source: Source, stream: IO[bytes]) -> None:
        piece = b"."
        while piece:
            try:
                piece = os.read(stream.fileno(), _PIECE)
            except (OSError, ValueError):  # the process was ended, and its pipes closed
                piece = b""
            self._said.put((source, piece))


def _write(stream: IO[bytes], feed: Feed) -> None:
    try:
        number = stream.fileno()
        while not feed.write_to(lambda piece: os.write(number, piece)):
            pass
        stream.close()
    except (OSError, ValueError):  # the process was ended
        return
