"""Has a file of a student's parsed by a process of its own (`harness/apart`), which may run out of memory or time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_PROGRAM = Path(__file__).parents[1] / "apart"
_SECONDS = 120  # by the clock; by the processor's time it limits itself to 30


class NotParsed(Exception):
    """It takes more memory or time than there is for it, or broke the program."""


def parsed_apart(task: str, *arguments: str | Path) -> bytes:
    """What the task printed. Raises `NotParsed`."""
    command = [sys.executable, "-I", "-B", "-X", "utf8", str(_PROGRAM), task, *map(str, arguments)]
    try:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotParsed(f"{task} takes too long") from None
    if ended.returncode:
        raise NotParsed(f"{task} ended with status {ended.returncode}")
    return ended.stdout
