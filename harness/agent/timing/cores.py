"""The cores that a process may use, where the system says so."""

from __future__ import annotations

import os
from collections.abc import Iterable


def usable() -> list[int]:
    """The cores that this process may use, in order."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def pin(cores: Iterable[int]) -> None:
    """Let this process use only these cores; without effect on macOS and Windows."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
