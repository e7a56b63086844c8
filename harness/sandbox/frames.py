"""Reads a job's results while they arrive, under limits. `harness/agent/frames.py` writes them.

Every header carries the run's nonce, which the agent gets on stdin before any student code runs. If the first header is
missing, the engine broke; if the last one is missing, the job did.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import BinaryIO

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_HEADER_LIMIT = 1024  # bytes
_FILES = 256


class BadFrames(Exception):
    """The stream breaks the format or a limit; nothing more is read."""


class FrameReader:
    """Takes the stream in pieces, and writes complete files into a folder."""

    def __init__(self, folder: Path, limit_bytes: int, nonce: str) -> None:
        """`limit_bytes`: for all files together. `nonce`: the one that the agent got."""
        self._folder = folder
        self._nonce = nonce
        self._left = limit_bytes
        self._names: set[str] = set()
        self._header = bytearray()
        self._file: BinaryIO | None = None
        self._name = ""
        self._missing = 0  # bytes of the current file still to come
        self.begun = False
        self.ended = False

    def feed(self, piece: bytes) -> None:
        """Process the next piece. Raises `BadFrames` at the first fault, and drops the current file."""
        try:
            view = memoryview(piece)
            while view:
                taken = self._body(view) if self._file else self._line(view)
                view = view[taken:]
        except BadFrames:
            self.close()
            raise

    def close(self) -> None:
        """Drop an incomplete file."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._partial().unlink()

    def _partial(self) -> Path:
        return self._folder / f".{self._name}"

    def _line(self, view: memoryview) -> int:
        if self.ended:
            raise BadFrames("there is more after the end")
        cut = bytes(view[: _HEADER_LIMIT + 1]).find(b"\n")
        taken = len(view) if cut < 0 else cut + 1
        self._header += view[: min(taken, _HEADER_LIMIT + 1)]
        if len(self._header) > _HEADER_LIMIT:
            raise BadFrames("a header is too long")
        if cut >= 0:
            line, self._header = bytes(self._header), bytearray()
            self._start(line)
        return taken

    def _start(self, line: bytes) -> None:
        try:
            header = json.loads(line.decode("ascii"))
        except (ValueError, RecursionError):
            raise BadFrames("a header is not JSON") from None
        if not self.begun:
            if header != {"begin": self._nonce}:
                raise BadFrames("it does not begin with the run's nonce")
            self.begun = True
            return
        if header == {"end": self._nonce}:
            self.ended = True
            return
        if not isinstance(header, dict) or set(header) != {"name", "bytes", "nonce"}:
            raise BadFrames("a header has other fields")
        if header["nonce"] != self._nonce:
            raise BadFrames("a header lacks the run's nonce")
        name, size = header["name"], header["bytes"]
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name in self._names:
            raise BadFrames("a name is unsafe or came before")
        if type(size) is not int or size < 0 or size > self._left:
            raise BadFrames("the files are larger than allowed")
        if len(self._names) >= _FILES:
            raise BadFrames("there are too many files")
        self._names.add(name)
        self._left -= size
        self._name, self._missing = name, size
        self._file = self._partial().open("xb")
        self._finish_if_whole()

    def _body(self, view: memoryview) -> int:
        assert self._file is not None
        piece = view[: self._missing]
        self._file.write(piece)
        self._missing -= len(piece)
        self._finish_if_whole()
        return len(piece)

    def _finish_if_whole(self) -> None:
        if self._missing == 0 and self._file is not None:
            self._file.close()
            self._file = None
            self._partial().rename(self._folder / self._name)
