"""Hostile Python, run in a sandbox as a child of the agent, and what came of it."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.sandbox import Job, Limits, Outcome, Sandbox

LIMITS = Limits(
    wall_seconds=60,
    memory_bytes=600 * 10**6,
    cpus=1,
    processes=64,
    disk_bytes=40 * 10**6,
    output_bytes=20 * 10**6,
)

SAY = """
import ctypes, errno, os, socket, subprocess, sys, time
_said = open('out/said', 'w')
def say(*what): print(*what, file=_said, flush=True)
def attempt(name, what):
    'Says whether `what` was refused; an integer below zero counts as a refused system call.'
    try:
        result = what()
    except Exception as error:
        say(name, 'refused', type(error).__name__)
        return
    if isinstance(result, int) and not isinstance(result, bool) and result < 0:
        say(name, 'refused', errno.errorcode.get(ctypes.get_errno(), '?'))
    else:
        say(name, 'DONE', result)
_libc = ctypes.CDLL(None, use_errno=True)
def syscall(number, *arguments): return _libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
"""


def limits(**changes: float) -> Limits:
    """The suite's limits with some changed."""
    return dataclasses.replace(LIMITS, **changes)


class Ran:
    """How the job ended, and the files that its program left in out/."""

    def __init__(
        self, sandbox: Sandbox, code: str, limits: Limits = LIMITS, inputs: Mapping[str, Path] | None = None
    ) -> None:
        """`code` runs with `SAY` before it, in /work; what it says is in `said`."""
        request = json.dumps({"code": SAY + code}).encode()
        with tempfile.TemporaryDirectory() as folder:
            job = Job("selfcheck", request, inputs or {}, limits)
            self.outcome: Outcome = sandbox.run(job, Path(folder))
            self.files = {file.name: file.read_bytes() for file in Path(folder).iterdir()}

    @property
    def said(self) -> list[str]:
        """Its lines. None where it did not live to say something."""
        return self.files.get("said", b"").decode().splitlines()

    @property
    def exit_status(self) -> int | None:
        """The program's own; None where the agent did not come to say it."""
        return int(self.files["status.txt"]) if "status.txt" in self.files else None
