"""Whether a cell does nothing: no process in the sandbox has used processor time for a while, or waited for some.

Such a cell waits for what never comes here: a GPU, the network, an answer, a process that has ended.
"""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

_IDLE = 0.01  # share of one core; an idle kernel takes 0.002, one that prints every 5 s little more
_READY = 0.1  # share of the samples; an idle kernel is ready to run in 0.002 of them
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100  # in a second


class Sample(NamedTuple):
    """What the processes here do at one moment."""

    now: float  # monotonic seconds
    used: float  # processor seconds so far
    ready: bool  # whether a thread runs, could run if a core were free, or waits for the disk


class Idleness:
    """Tells from samples of the sandbox's processes whether nothing has happened for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._samples: deque[Sample] = deque()  # the oldest first

    def begin(self) -> None:
        """A cell begins."""
        self._samples.clear()

    def sample(self, taken: Sample | None = None) -> bool:
        """Take a sample, of now unless given; return whether the cell has done nothing for `seconds`.

        A cell that gets no processor time because other work takes it all is not idle. False where the processor
        time is not known, as it is 0 for a kernel that has started.
        """
        now, used, _ = taken = taken or sampled()
        self._samples.append(taken)
        while len(self._samples) > 1 and self._samples[1].now <= now - self.seconds:
            self._samples.popleft()
        first = self._samples[0]
        if used <= 0 or now - first.now < self.seconds or abs(used - first.used) > _IDLE * (now - first.now):
            return False
        return sum(one.ready for one in self._samples) <= _READY * len(self._samples)


def sampled() -> Sample:
    """A sample of all processes here but this one, of their threads, and of children that they waited for.

    Without /proc the time is 0.
    """
    own, total, ready = str(os.getpid()), 0, False
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == own:
            continue
        try:
            total += sum(map(int, _fields(folder)[11:15]))  # utime, stime, cutime, cstime: proc_pid_stat(5)
            ready = ready or any(_fields(thread)[0] in ("R", "D") for thread in (folder / "task").iterdir())
        except (OSError, ValueError, IndexError):  # it has just ended
            continue
    return Sample(time.monotonic(), total / _TICKS, ready)


def _fields(folder: Path) -> list[str]:
    """The fields after the name: the state is the first."""
    return (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
