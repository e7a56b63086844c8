"""A process for a student's model that was forked with the agent, and so need not import its libraries.

It is forked before the agent has read anything: it has no descriptor of the conversation, no nonce, request or image,
only a socket to the agent. It waits there for the pipes of `model_process.py`, and becomes that program.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import runpy
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, NoReturn

_PROGRAM = Path(__file__).parent / "models" / "model_process.py"
_PR_SET_DUMPABLE = 4
_LONGEST_MESSAGE = 1 << 16  # bytes
_MOST_FILES = 16
_ABOVE_ALL = 128  # descriptors that were passed are moved there before they get their numbers


class SpareProcess:
    """The agent's side: as `subprocess.Popen` with two pipes."""

    def __init__(self, pid: int, ends: tuple[BinaryIO, BinaryIO]) -> None:
        self.pid = pid
        self.stdin, self.stdout = ends
        self._code: int | None = None

    def wait(self) -> int:
        """Its exit status, negative for a signal."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def kill(self) -> None:
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)


_waiting: tuple[int, socket.socket] | None = None


def fork(run_and_exit: Callable[[Callable[[], None]], NoReturn]) -> None:
    """Fork the process that waits. Only the agent returns."""
    global _waiting
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid:
        its.close()
        _waiting = pid, ours
        return
    ours.close()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    run_and_exit(lambda: _wait(its))


def taken(descriptors: Sequence[int]) -> SpareProcess | None:
    """The process, with these descriptors under the same numbers; None where there is none, or none any more."""
    global _waiting
    if _waiting is None:
        return None
    (pid, told), _waiting = _waiting, None
    to_it, from_it = os.pipe(), os.pipe()
    try:
        said = {"numbers": [0, 1, *descriptors], "variables": dict(os.environ), "folder": str(Path.cwd())}
        socket.send_fds(told, [json.dumps(said).encode()], [to_it[0], from_it[1], *descriptors])
    except OSError:  # somebody ended it
        for end in (*to_it, *from_it):
            os.close(end)
        return None
    finally:
        told.close()
    os.close(to_it[0])
    os.close(from_it[1])
    return SpareProcess(pid, (os.fdopen(to_it[1], "wb"), os.fdopen(from_it[0], "rb")))


def _wait(told: socket.socket) -> None:
    """Become `model_process.py` when the agent asks for it; end with the agent."""
    content, received, _, _ = socket.recv_fds(told, _LONGEST_MESSAGE, _MOST_FILES)
    told.close()
    if not content:
        os._exit(0)
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
    sys.argv[:] = [str(_PROGRAM)]
    runpy.run_path(str(_PROGRAM), run_name="__main__")
