"""Zygotes: processes outside of every job that have imported the libraries, and fork each job's agent.

There is one for each kind, Python installation and set of environment variables, in a box like a job's, without inputs.
It starts with the second job that could use it, and jobs start cold until it is ready: importing costs as much as two
cold starts. Where it fails, jobs go on starting cold.
"""

from __future__ import annotations

import socket
import subprocess
import threading
import weakref
from pathlib import Path
from typing import Literal

from harness.sandbox import bwrap_process
from harness.sandbox.box import Box

Kind = Literal["notebooks", "models"]  # what it imports
# As in `harness.agent.start.zygote`: phases whose results are times or memory, or that take long anyway.
COLD_PHASES = frozenset({"benchmark", "timing", "layers", "train", "train_detector"})
# The last argument leaves room for the command lines of what its children become.
_PROGRAM = "/opt/harness/agent/__main__.py"
# That for notebooks runs as a kernel does, without -I and with the variables of `execute` that Python reads when it
# starts; nothing that it can import from is writable in any sandbox.
_AS_A_KERNEL = {"HOME": "/work/home", "PYTHONPATH": "/opt/harness/site", "PYTHONHASHSEED": "0"}
_OPTIONS: dict[Kind, tuple[str, ...]] = {"notebooks": (), "models": ("-I", "-B")}
_WIDTH = 200
_MOST = 4  # kept at once; each takes about 250 MB

Key = tuple[Kind, str, tuple[tuple[str, str], ...]]


class Zygote:
    """One zygote, from its start on."""

    def __init__(self, program: Path, box: Box, kind: Kind) -> None:
        """Start it. Raises `OSError`."""
        self._asked, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._process = bwrap_process.started(
                program,
                box.of_a_zygote(),
                [str(box.python.python), *_OPTIONS[kind], _PROGRAM, f"zygote:{kind}".ljust(_WIDTH, "-")],
                (its.fileno(), subprocess.DEVNULL, subprocess.DEVNULL),
                filtered=False,  # it joins namespaces; its children are filtered before they know anything of a job
            )
        self._said_ready = False
        self._lock = threading.Lock()
        self._broken = False

    def is_ready(self, seconds: float) -> bool:
        """Whether it can fork; waits for that at most `seconds`."""
        with self._lock:
            if not self._said_ready and not self._broken:
                self._asked.settimeout(max(seconds, 0.001))
                try:
                    self._said_ready = self._asked.recv(16) == b"ready"
                    self._broken = not self._said_ready
                except TimeoutError:
                    return False
                except OSError:
                    self._broken = True
            return self._said_ready and not self._broken

    def fork(self) -> socket.socket:
        """The socket to a new child, which waits to be told its job. Raises `OSError`."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            try:
                socket.send_fds(self._asked, [b"f"], [its.fileno()])
            except OSError:
                ours.close()
                raise
        return ours

    def end(self) -> None:
        """End it. Children that it forked go on."""
        self._broken = True
        self._asked.close()
        self._process.kill()
        self._process.wait()


class Zygotes:
    """The zygotes of one engine, at most `_MOST` at a time."""

    def __init__(self, program: Path, wait_seconds: float) -> None:
        """`wait_seconds`: how long a job waits for its zygote, which then starts with the first job."""
        self._program, self._wait_seconds = program, wait_seconds
        self._lock = threading.Lock()
        self._asked_for: dict[Key, int] = {}  # how often
        self._running: dict[Key, Zygote] = {}  # the one used last is last
        weakref.finalize(self, _end_all, self._running)

    def find(self, box: Box, phase: str) -> Zygote | None:
        """The zygote for a job in this box that runs this phase; None where there is none yet, or it failed.

        Raises `OSError`.
        """
        kind: Kind = "notebooks" if phase == "execute" else "models"
        key = (kind, str(box.python.python) + box.python.id, tuple(sorted(box.variables.items())))
        with self._lock:
            self._asked_for[key] = self._asked_for.get(key, 0) + 1
            zygote = self._running.pop(key, None)
            if zygote is None and (self._asked_for[key] > 1 or self._wait_seconds):
                while len(self._running) >= _MOST:
                    self._running.pop(next(iter(self._running))).end()
                zygote = Zygote(self._program, box.for_a_zygote(_AS_A_KERNEL if kind == "notebooks" else {}), kind)
            if zygote is not None:
                self._running[key] = zygote
        return zygote if zygote is not None and zygote.is_ready(self._wait_seconds) else None


def _end_all(running: dict[Key, Zygote]) -> None:
    while running:
        running.popitem()[1].end()
