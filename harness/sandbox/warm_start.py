"""Starts a job's agent warm: bwrap makes the sandbox as ever, and a zygote's child joins it instead of a new Python."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.sandbox import bwrap_process, system_calls
from harness.sandbox.box import Box
from harness.sandbox.zygotes import Zygote

_HOLDER = ("-I", "-S", "-B", "/opt/harness/agent/start/holder.py")
_NAMESPACES = ("pid", "net", "ipc", "uts", "cgroup", "mnt")
_SECONDS = 60  # for each step until the agent has joined
_KILLED = 137

_Pipe = tuple[int, int]  # its reading and its writing end


class NotWarm(Exception):
    """The job could not be started warm; nothing of it has run."""


class Joined:
    """An agent in its sandbox, with the part of `subprocess.Popen` that `supervise` uses."""

    def __init__(self, holder: subprocess.Popen[bytes], first: int, told: socket.socket, ends: Sequence[int]) -> None:
        """`holder`: bwrap, of the sandbox. `first`: the pidfd of its PID 1.

        `told`: the socket to who waits for the agent. `ends`: of its pipes.
        """
        self.pid = holder.pid
        self.stdin: IO[bytes] | None = os.fdopen(ends[0], "wb", buffering=0)
        self.stdout: IO[bytes] | None = os.fdopen(ends[1], "rb", buffering=0)
        self.stderr: IO[bytes] | None = os.fdopen(ends[2], "rb", buffering=0)
        self._holder, self._first, self._told = holder, first, told

    def kill(self) -> None:
        """End the sandbox, and with it the agent."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._first, signal.SIGKILL)  # with another user it no longer ends with bwrap
        self._holder.kill()

    def wait(self) -> int:
        """Its exit status; 128 and the signal's number for a signal."""
        with self._told:
            try:
                said = self._told.recv(32)
            except OSError:
                said = b""
        self._holder.wait()
        os.close(self._first)
        return int(said.removeprefix(b"ended ")) if said.startswith(b"ended ") else _KILLED


@dataclass(frozen=True, slots=True)
class Start:
    """What the start of one job needs."""

    program: Path  # bwrap
    box: Box
    prefix: Sequence[str]  # the command that joins the control groups and becomes bwrap
    entrances: Sequence[Path]  # the control groups' files
    phase: str
    settings: Mapping[str, object]  # for `privileges.give_up` of the agent
    cores: frozenset[int]

    def warm(self, zygote: Zygote) -> Joined:
        """The agent, when it has joined its sandbox and given up its rights. Raises `NotWarm`."""
        with ExitStack() as ours, ExitStack() as its:
            try:
                stdin, stdout, stderr, life, ready, info = (_pipe() for _ in range(6))
                for inner in (stdin[0], stdout[1], stderr[1], life[1]):
                    its.callback(os.close, inner)
                for outer in (stdin[1], stdout[0], stderr[0]):
                    ours.callback(os.close, outer)
                holder = self._hold(life, ready, info, stderr[1])
                ours.callback(_end, holder)
                names = {"stdin": stdin[0], "stdout": stdout[1], "stderr": stderr[1], "life": life[1]}
                told = ours.enter_context(zygote.fork())
                pid = _standing(ready[0], info[0])
                first = os.pidfd_open(pid)
                ours.callback(os.close, first)
                self._tell(told, names, pid)
                if told.recv(32) != b"joined":
                    raise NotWarm("the zygote's child could not join the sandbox")
            except OSError as error:
                raise NotWarm(str(error)) from error
            ours.pop_all()
            return Joined(holder, first, told, (stdin[1], stdout[0], stderr[0]))

    def _hold(self, life: _Pipe, ready: _Pipe, info: _Pipe, stderr: int) -> subprocess.Popen[bytes]:
        """bwrap, whose PID 1 lives until `life` is closed; its ends of the pipes are closed here."""
        os.write(life[1], json.dumps(self.settings).encode() + b"\n")
        command = [str(self.box.python.python), *_HOLDER]
        try:
            return bwrap_process.started(
                self.program,
                self.box.of_a_job(),
                command,
                (life[0], ready[1], stderr),
                prefix=self.prefix,
                info=info[1],
            )
        finally:
            for end in (life[0], ready[1], info[1]):
                os.close(end)

    def _tell(self, told: socket.socket, names: Mapping[str, int], pid: int) -> None:
        """Send the job with its descriptors."""
        with ExitStack() as opened:
            files = list(names.items())
            for name in _NAMESPACES:
                files.append((name, opened.enter_context(Path(f"/proc/{pid}/ns/{name}").open("rb")).fileno()))
            for entrance in self.entrances:
                files.append(("entrance", opened.enter_context(entrance.open("wb", buffering=0)).fileno()))
            message = {
                "phase": self.phase,
                "settings": self.settings,
                "cores": sorted(self.cores),
                "filter": system_calls.program().hex(),
                "files": [name for name, _ in files],
            }
            told.settimeout(_SECONDS)
            socket.send_fds(told, [json.dumps(message).encode()], [descriptor for _, descriptor in files])


def _pipe() -> _Pipe:
    return os.pipe()


def _standing(ready: int, info: int) -> int:
    """The PID of the sandbox's PID 1, when that says that the sandbox stands. Closes both. Raises `NotWarm`."""
    with os.fdopen(ready, "rb", buffering=0) as says, os.fdopen(info, "rb", buffering=0) as about:
        if not select.select([says], [], [], _SECONDS)[0] or says.read(16) != b"ready\n":
            raise NotWarm("the sandbox did not stand")
        return int(json.loads(about.read(4096))["child-pid"])


def _end(holder: subprocess.Popen[bytes]) -> None:
    holder.kill()
    holder.wait()
