"""Whether a cell does nothing: no process in the sandbox has used processor time for a while.

Such a cell waits for what never comes here: a GPU, the network, an answer, a process that has ended.
"""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path

_IDLE = 0.01  # share of one core; an idle kernel takes 0.002, one that prints every 5 s little more
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100  # in a second


class Idleness:
    """Tells from samples of the sandbox's processor time whether nothing has happened for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._samples: deque[tuple[float, float]] = deque()  # (monotonic time, processor seconds), the oldest first

    def begin(self) -> None:
        """A cell begins."""
        self._samples.clear()

    def sample(self, now: float | None = None, used: float | None = None) -> bool:
        """Take a sample, of now unless given; return whether the cell has done nothing for `seconds`.

        False where the processor time is not known, as it is 0 for a kernel that has started.
        """
        now = time.monotonic() if now is None else now
        used = processor_seconds() if used is None else used
        self._samples.append((now, used))
        while len(self._samples) > 1 and self._samples[1][0] <= now - self.seconds:
            self._samples.popleft()
        begun, before = self._samples[0]
        return used > 0 and now - begun >= self.seconds and abs(used - before) <= _IDLE * (now - begun)


def processor_seconds() -> float:
    """The processor time of all processes here but this one, and of children that they waited for; 0 without /proc."""
    own, total = str(os.getpid()), 0
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == own:
            continue
        try:
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime: proc_pid_stat(5)
        except (OSError, ValueError):  # it has just ended
            continue
    return total / _TICKS
