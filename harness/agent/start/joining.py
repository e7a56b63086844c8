"""How a zygote's child becomes a process of a job's sandbox: what it would have got from bubblewrap, in that order."""

from __future__ import annotations

import ctypes
import os
import random
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from . import command_line
from .privileges import give_up

_NAMESPACES = ("net", "ipc", "uts", "cgroup", "mnt")  # the last hides the paths of the zygote's own
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2


class Files:
    """The descriptors that came with a job, by name."""

    def __init__(self, names: Sequence[str], descriptors: Sequence[int]) -> None:
        """Raises `ValueError` when there are not as many."""
        self._named = list(zip(names, descriptors, strict=True))

    def __getitem__(self, name: str) -> int:
        return next(descriptor for known, descriptor in self._named if known == name)

    def entrances(self) -> list[int]:
        return [descriptor for name, descriptor in self._named if name == "entrance"]

    def enter_pid_namespace(self) -> None:
        """Let later children be in the job's PID namespace."""
        _setns(self["pid"])

    def close_all_but(self, kept: str) -> None:
        for name, descriptor in self._named:
            if name != kept:
                os.close(descriptor)


def join(job: Mapping[str, Any], files: Files) -> None:
    """Join the job's control groups, cores and namespaces, give up all rights, and forget what forks share.

    Raises `OSError` at the first step that the kernel refuses; no step is left out.
    """
    for entrance in files.entrances():
        os.write(entrance, b"0")
    os.sched_setaffinity(0, job["cores"])
    for name in _NAMESPACES:
        _setns(files[name])
    os.chdir("/work")
    os.setsid()
    os.umask(0o022)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.dup2(files[name], number)
    sys.argv[1] = job["phase"]
    command_line.become([sys.executable, "-I", "-B", sys.argv[0], job["phase"]])
    give_up(job["settings"])
    _filter_system_calls(bytes.fromhex(job["filter"]))
    draw_anew()


def close_all_but_standard() -> None:
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _setns(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot join a namespace")


def _filter_system_calls(instructions: bytes) -> None:
    """Install the filter (struct sock_fprog of linux/filter.h); it holds for all that this process starts."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))

    program = Program(len(instructions) // 8, instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot filter system calls")


def draw_anew() -> None:
    """Seed again what libraries seeded when the zygote imported them: a cold start would have drawn it for itself.

    torch starts from a constant, cold too. The hash seed of this Python stays that of the zygote.
    """
    random.seed()
    if numpy := sys.modules.get("numpy.random"):
        numpy.seed()
    if processes := sys.modules.get("multiprocessing.process"):
        processes.current_process().authkey = os.urandom(32)
