"""A process for a student's code that was forked with the agent, and so need not import its libraries.

It is forked before the agent has read anything: it has no descriptor of the conversation, no nonce, request or image,
only a socket to the agent. It waits there to be told which program it is to become.
"""

from __future__ import annotations

import ctypes
import json
import os
import runpy
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

from .joining import draw_anew

_MODEL_PROGRAM = Path(__file__).parents[1] / "models" / "model_process.py"
_PR_SET_DUMPABLE = 4
_LONGEST_MESSAGE = 1 << 17  # bytes
_MOST_FILES = 16
_ABOVE_ALL = 128  # descriptors that were passed are moved there before they get their numbers

Become = Callable[[Mapping[str, Any]], None]


class SpareProcess:
    """The agent's side: what is used of `subprocess.Popen`, with two pipes or none."""

    stderr = None

    def __init__(self, pid: int, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self.returncode: int | None = None  # negative for a signal

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._reaped(os.WNOHANG)

    def wait(self) -> int:
        """Its exit status."""
        code = self._reaped(0)
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _reaped(self, options: int) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, options)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


_waiting: tuple[int, socket.socket] | None = None


def fork(become: Become, run_and_exit: Callable[[Callable[[], None]], NoReturn]) -> None:
    """Fork the process that waits, for `become` with what it is told. Only the agent returns."""
    global _waiting
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid:
        its.close()
        _waiting = pid, ours
        return
    ours.close()
    os.setsid()
    draw_anew()  # what the agent draws must not be known here
    nothing, writing = os.pipe()  # as the stdin of a kernel that starts cold: nobody writes to it
    os.dup2(nothing, 0)
    os.close(nothing)
    os.close(writing)
    os.dup2(2, 1)
    run_and_exit(lambda: _wait(its, become))


def for_a_model(descriptors: Sequence[int]) -> SpareProcess | None:
    """`model_process.py` with these descriptors under the same numbers; None where no process waits (any more)."""
    to_it, from_it = os.pipe(), os.pipe()
    pid = told({}, {0: to_it[0], 1: from_it[1]} | {number: number for number in descriptors})
    os.close(to_it[0])
    os.close(from_it[1])
    ends = os.fdopen(to_it[1], "wb"), os.fdopen(from_it[0], "rb")
    if pid is None:
        for end in ends:
            end.close()
        return None
    return SpareProcess(pid, *ends)


def told(said: Mapping[str, Any], files: Mapping[int, int]) -> int | None:
    """Tell the process what to become, and its descriptors by number; its PID, or None where none waits."""
    global _waiting
    if _waiting is None:
        return None
    (pid, line), _waiting = _waiting, None
    message = {"numbers": list(files), "variables": dict(os.environ), "folder": str(Path.cwd()), **said}
    with line:
        try:
            line.recv(1)  # it is in its own session
            socket.send_fds(line, [json.dumps(message).encode()], list(files.values()))
        except OSError:  # somebody ended it
            return None
    return pid


def become_a_model(_: Mapping[str, Any]) -> None:
    """Run `model_process.py` as a program."""
    sys.argv[:] = [str(_MODEL_PROGRAM)]
    runpy.run_path(str(_MODEL_PROGRAM), run_name="__main__")


def _wait(line: socket.socket, become: Become) -> None:
    """Become what the agent says; end with the agent."""
    line.send(b"w")
    content, received, _, _ = socket.recv_fds(line, _LONGEST_MESSAGE, _MOST_FILES)
    line.close()
    if not content:
        os._exit(0)
    import fcntl  # Windows, where nothing is forked, has none

    said = json.loads(content)
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _ABOVE_ALL) for descriptor in received]
    for descriptor in received:
        os.close(descriptor)
    for descriptor, number in zip(high, said["numbers"], strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(said["variables"])
    os.chdir(said["folder"])
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)  # its own code may read its own /proc
    become(said)
