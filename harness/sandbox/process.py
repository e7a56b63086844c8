"""Runs one job's process to its end: reads results and log, checks limits, and leaves no process behind."""

from __future__ import annotations

import os
import secrets
import selectors
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from harness.errors import EngineFailed, RunStopped
from harness.sandbox.engine import Job, OutcomeStatus
from harness.sandbox.feed import Feed
from harness.sandbox.frames import BadFrames, FrameReader
from harness.sandbox.running import Running
from harness.sandbox.threaded_pipes import ThreadedPipes

_PIECE = 1 << 16
_TICK_SECONDS = 0.1
_LOG_BYTES = 64 * 1024
_START_SECONDS = 120  # for the engine to start the agent

Stopped = Literal["", "timeout", "output", "memory", "processes", "stop"]


@dataclass(slots=True)
class Ended:
    """How the process ended, and why we stopped it, if we did."""

    stopped: Stopped
    exit_code: int
    begun: bool  # the agent started: earlier errors are the engine's, later ones the job's
    complete: bool  # the stream of results had its last line
    log: str
    seconds: float


class Log:
    """The head and the tail of stderr, at most 64 KiB together."""

    def __init__(self) -> None:
        self._head, self._tail, self._cut = bytearray(), bytearray(), 0

    def feed(self, piece: bytes) -> None:
        room = _LOG_BYTES // 2 - len(self._head)
        self._head += piece[:room]
        self._tail += piece[max(0, room) :]
        if (over := len(self._tail) - _LOG_BYTES // 2) > 0:
            self._cut += over
            del self._tail[:over]

    def text(self) -> str:
        gap = f"\n[... {self._cut} bytes left out ...]\n".encode() if self._cut else b""
        return (bytes(self._head) + gap + bytes(self._tail)).decode("utf-8", "replace")


class Conversation:
    """The feed to the agent and the reader of its results, which share the run's nonce."""

    def __init__(self, job: Job, settings: Mapping[str, object], outputs: Path) -> None:
        nonce = secrets.token_hex(16)
        self.feed = Feed(job.request, {"nonce": nonce, **settings}, job.images)
        self.frames = FrameReader(outputs, job.limits.output_bytes, nonce)
        self.log = Log()
        self._wall_seconds = job.limits.wall_seconds
        self._created = time.monotonic()
        self._begun: float | None = None

    @property
    def deadline(self) -> float:
        """When the time is over (monotonic clock).

        The job's time starts with the agent's first output, so that a slow engine costs the student nothing.
        """
        if self._begun is None and self.frames.begun:
            self._begun = time.monotonic()
        return self._created + _START_SECONDS if self._begun is None else self._begun + self._wall_seconds


def supervise(
    process: Running,
    conversation: Conversation,
    check: Callable[[], Stopped],
    kill: Callable[[], None],
) -> Ended:
    """Feed settings, request and images, read results and log, and wait for the end; always calls `kill`.

    `check` is called ten times a second, and says whether the job broke a limit or must stop.
    """
    started = time.monotonic()
    frames, log = conversation.frames, conversation.log
    stopped: Stopped = ""
    try:
        stopped = (_by_threads if sys.platform == "win32" else _converse)(process, conversation, check)
    finally:
        kill()
        exit_code = process.wait()
        frames.close()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    return Ended(stopped, exit_code, frames.begun, frames.ended, log.text(), time.monotonic() - started)


def _converse(process: Running, conversation: Conversation, check: Callable[[], Stopped]) -> Stopped:
    """Write and read in parallel until both outputs end or a limit is broken."""
    frames, log = conversation.frames, conversation.log
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    told = process.stdin.fileno()
    os.set_blocking(told, False)
    open_outputs = 2
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdin, selectors.EVENT_WRITE)
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stderr, selectors.EVENT_READ)
        next_check = time.monotonic()
        while open_outputs:
            now, deadline = time.monotonic(), conversation.deadline
            if now >= deadline:
                return "timeout"
            if now >= next_check:
                next_check = now + _TICK_SECONDS
                if stopped := check():
                    return stopped
            for key, _ in selector.select(min(_TICK_SECONDS, deadline - now)):
                stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
                if stream is process.stdin:
                    if conversation.feed.write_to(lambda piece: os.write(told, piece)):
                        selector.unregister(stream)
                        stream.close()
                    continue
                piece = os.read(stream.fileno(), _PIECE)
                if not piece:
                    selector.unregister(stream)
                    open_outputs -= 1
                elif stream is process.stdout:
                    try:
                        frames.feed(piece)
                    except BadFrames as error:
                        log.feed(f"\nresults refused: {error}\n".encode())
                        return "output"
                else:
                    log.feed(piece)
    return ""


def _by_threads(process: Running, conversation: Conversation, check: Callable[[], Stopped]) -> Stopped:
    """As `_converse`, where pipes cannot be waited for together."""
    frames, log = conversation.frames, conversation.log
    pipes = ThreadedPipes(process, conversation.feed)
    while True:
        now, deadline = time.monotonic(), conversation.deadline
        if now >= deadline:
            return "timeout"
        if stopped := check():
            return stopped
        said = pipes.next(min(_TICK_SECONDS, deadline - now))
        if said is None:
            if pipes.ended:
                return ""
            continue
        source, piece = said
        if source == "log":
            log.feed(piece)
            continue
        try:
            frames.feed(piece)
        except BadFrames as error:
            log.feed(f"\nresults refused: {error}\n".encode())
            return "output"


def status_of(ended: Ended, *, memory_limit_hit: bool) -> OutcomeStatus:
    """The job's status. A signal is a negative exit code, or one above 128 if bwrap passes it on.

    Raises `RunStopped` when we stopped the job with the run, and `EngineFailed` when the agent never started; exit
    status and log do not count, because a job can forge both.
    """
    if ended.stopped == "stop":
        raise RunStopped("the run was stopped")
    if not ended.begun and not memory_limit_hit:
        raise EngineFailed(f"the sandbox did not start: {ended.log.strip()[-1000:] or ended.stopped}", "harness doctor")
    if ended.stopped in ("timeout", "output", "memory"):
        return ended.stopped
    if ended.stopped:
        return "killed"
    if ended.exit_code == 0 and ended.complete:
        return "ok"
    if memory_limit_hit:
        return "memory"
    return "killed" if ended.exit_code < 0 or ended.exit_code > 128 else "failed"
