"""Lets a separate process (`harness/apart`) parse a student's file; it may run out of memory or time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_PROGRAM = Path(__file__).parents[1] / "apart"
_SECONDS = 120  # wall time; the process limits itself to 30 s of processor time


class NotParsed(Exception):
    """The file took more memory or time than allowed, or crashed the program."""


def parsed_apart(task: str, *arguments: str | Path) -> bytes:
    """The task's output. Raises `NotParsed`."""
    command = [sys.executable, "-I", "-B", "-X", "utf8", str(_PROGRAM), task, *map(str, arguments)]
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotParsed(f"{task} takes too long") from None
    if ended.returncode:
        raise NotParsed(f"{task} ended with status {ended.returncode}")
    return ended.stdout
