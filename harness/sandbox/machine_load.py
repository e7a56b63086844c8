"""Measures other work on the machine while a job runs: a time limit is fair only if the cores were available."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100  # clock ticks per second
# Fields of the line `cpu`, proc_stat(5): user nice system idle iowait irq softirq steal. Guest time is in user.
_BUSY_FIELDS = (0, 1, 2, 5, 6, 7)


class MachineLoad:
    """Measures from its creation on."""

    def __init__(self) -> None:
        self._started, self._busy = time.monotonic(), _busy_seconds()

    def cores_left(self, own_cpu_seconds: float) -> float | None:
        """Cores that other work left on average, given the job's own use; None without /proc/stat.

        Time stolen by a hypervisor counts as other work.
        """
        seconds, now = time.monotonic() - self._started, _busy_seconds()
        if now is None or self._busy is None or seconds <= 0:
            return None
        others = max(0.0, now - self._busy - own_cpu_seconds)
        return max(0.0, (os.cpu_count() or 1) - others / seconds)


def _busy_seconds() -> float | None:
    """Busy seconds of all cores together since the machine started."""
    try:
        fields = _STAT.read_text().partition("\n")[0].split()[1:]
        return sum(int(fields[index]) for index in _BUSY_FIELDS) / _TICKS
    except (OSError, ValueError, IndexError):
        return None
