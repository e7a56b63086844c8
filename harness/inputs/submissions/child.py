"""Sends requests to the process that reads submissions (`apart/submissions/`), under limits. Answers are checked.

A process that dies, is too slow or sends too much is ended. Only its current request fails, and the next request gets a
new process.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.apart import submissions as apart
from harness.apart.submissions.budget import Spent, UnpackLimits
from harness.errors import MachineError
from harness.findings import Finding, finding

_PROGRAM = Path(apart.__file__).with_name("__main__.py")
_ANSWER_BYTES = 1 << 20
_READING_SECONDS = 20  # of processor time, for anything but unpacking
_WALL = 4  # times the processor seconds, plus a minute, of wall time: a busy machine is not the student's fault
_SAID = 2000  # characters of what it says; a finding cuts them after a word
_ENDING_SECONDS = 10
_WAITING_PIECES, _TICK_SECONDS = 32, 0.2


class Unreadable(Exception):
    """The request cannot be answered. The message says why. `was_stopped`: a limit ended the process."""

    def __init__(self, reason: str, *, was_stopped: bool = False) -> None:
        super().__init__(reason)
        self.was_stopped = was_stopped


class Refused(Exception):
    """The archive or folder is refused. Holds the finding that says why, and what was spent so far."""

    def __init__(self, why: Finding, spent: Spent | None = None) -> None:
        super().__init__(why.message)
        self.finding, self.spent = why, spent


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Findings about what was left out, and how much of its limits the submission has used."""

    findings: tuple[Finding, ...]
    spent: Spent


class Children:
    """Processes that each answer one request at a time; several run when several threads ask."""

    def __init__(self) -> None:
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._idle:
            child.end()

    def ask(self, what: str, **request: object) -> object:
        """The answer, at most 1 MiB of JSON. Raises `Unreadable`, or `Refused` for a file that is not a zip."""
        return _value(self._said({"what": what, "seconds": _READING_SECONDS, **request}))

    def unpack(
        self, what: str, limits: UnpackLimits, spent: Spent, packed_bytes: int | None = None, **request: object
    ) -> Unpacked:
        """Unpack under the limits, of which `spent` is used up. Raises `Refused`, or `MachineError` without room."""
        left = max(1.0, limits.seconds - spent.seconds)
        more = {"limits": asdict(limits), "spent": asdict(spent), "packed_bytes": packed_bytes, "seconds": left}
        try:
            said = self._said({"what": what, **request, **more})
            now = _spent(said)
            noticed = _value(said, now)
        except Unreadable as error:
            gone = Spent(spent.bytes, spent.files, spent.members, limits.seconds)  # no second try
            if error.was_stopped:
                raise Refused(finding("archive-too-large", reason=f"unpacking it {error}"), gone) from None
            name = Path(str(request.get("archive") or request.get("member") or "")).name
            raise Refused(finding("archive-unreadable", name=name, reason=str(error)), gone) from None
        return Unpacked(tuple(finding(code, **particulars) for code, particulars in _pairs(noticed)), now)

    def _said(self, request: Mapping[str, object]) -> dict[str, Any]:
        with self._lock:
            child = self._idle.pop() if self._idle else None
        if child is None or not child.is_alive:
            child = _Child()
        try:
            said = child.answer(request)
        except BaseException:
            child.end()
            raise
        if "last" in said:
            child.end()
        else:
            with self._lock:
                self._idle.append(child)
        return said


def ask_alone(what: str, **request: object) -> object:
    """As `Children.ask`, in a fresh process that has read nobody else's files."""
    with Children() as children:
        return children.ask(what, **request)


def path_text(path: Path) -> str:
    """The path as text for JSON, in any locale: the process reads names as UTF-8."""
    return os.fsencode(path).decode("utf-8", "surrogateescape")


class _Child:
    """One such process, and the exchange with it."""

    def __init__(self) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-X", "utf8", str(_PROGRAM)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/",
            )  # fmt: skip
        except OSError as error:
            raise MachineError(f"no process can be started: {error.strerror}", "end other programs") from error
        self._pieces: queue.Queue[bytes] = queue.Queue(_WAITING_PIECES)  # b"": it has closed its end
        self._ended = threading.Event()
        # A thread, because Windows cannot wait for a pipe for a limited time.
        self._reader = threading.Thread(target=self._read, name="intake-reader", daemon=True)
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer. Raises `Unreadable` when the process dies, is too slow, or sends an invalid answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Unreadable("it broke the program that reads it") from None
        line = self._line(time.monotonic() + _WALL * float(request["seconds"]) + 60, float(request["seconds"]))
        try:
            said = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise Unreadable("it broke the program that reads it") from None
        if not isinstance(said, dict):
            raise Unreadable("it broke the program that reads it")
        return said

    def _read(self) -> None:
        """Pass on what the process says, until it ends; waits while nobody takes it."""
        assert self._process.stdout is not None
        piece = b"."
        while piece and not self._ended.is_set():
            piece = os.read(self._process.stdout.fileno(), 1 << 16)
            while not self._ended.is_set():
                with contextlib.suppress(queue.Full):
                    self._pieces.put(piece, timeout=_TICK_SECONDS)
                    break

    def _line(self, deadline: float, seconds: float) -> bytes:
        line = bytearray()
        while not line.endswith(b"\n"):
            try:
                piece = self._pieces.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise Unreadable(f"takes over {_WALL * seconds + 60:.0f} s", was_stopped=True) from None
            if not piece:
                self.end()
                if self._process.returncode == -getattr(signal, "SIGXCPU", 0):
                    raise Unreadable(f"takes over {seconds:.0f} s of processor time", was_stopped=True)
                raise Unreadable("it broke the program that reads it")
            line += piece
            if len(line) > _ANSWER_BYTES:
                raise Unreadable("there is more of it than anyone needs")
        return bytes(line)

    def end(self) -> None:
        """End the process. It needs no cleanup."""
        self._ended.set()
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        if self._process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.2)  # it ends itself when requests end
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(_ENDING_SECONDS)
        self._reader.join(_ENDING_SECONDS)
        if not self._reader.is_alive():  # which must not read from a number that another file has by now
            self._process.stdout.close()


def _value(said: dict[str, Any], spent: Spent | None = None) -> object:
    if "machine" in said:
        raise no_room(str(said["machine"]))
    if "stopped" in said:
        [(code, particulars)] = _pairs([said["stopped"]])
        raise Refused(finding(code, **particulars), spent)
    if "value" not in said:
        raise Unreadable(str(said.get("trouble", "it broke the program that reads it"))[:_SAID])
    return said["value"]


def _pairs(value: object) -> list[tuple[str, dict[str, str]]]:
    """(code, particulars) of findings. Raises `Unreadable` for anything else."""
    pairs = []
    for one in value if isinstance(value, list) else [None]:
        if not (isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) and isinstance(one[1], dict)):
            raise Unreadable("it broke the program that reads it")
        pairs.append((one[0], {str(key): str(text) for key, text in one[1].items()}))
    return pairs


def _spent(said: dict[str, Any]) -> Spent:
    try:
        return Spent(**said["spent"])
    except (KeyError, TypeError):
        raise Unreadable("it broke the program that reads it") from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def no_room(why: str) -> MachineError:
    """The error when the machine, not the submission, stopped unpacking."""
    return MachineError(
        f"the submissions cannot be unpacked: {why}", "make room on the disk of the temporary folder, or set TMPDIR"
    )
