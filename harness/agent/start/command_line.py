"""Changes the command line that /proc shows of this process, which a zygote's child has from the zygote."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

_ARG_START, _ARG_END = 45, 46  # fields of /proc/self/stat after the name, from 0 (proc_pid_stat(5))


def become(words: Sequence[str]) -> None:
    """Show these words. Nothing is changed where the zygote's command line was shorter.

    The kernel shows as many bytes as there were at the start: the option -B takes up the rest, or else NULs at the end.
    """
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    rest = end - start - sum(len(os.fsencode(word)) + 1 for word in words)
    if rest < 0:
        return
    filled = [word + "B" * rest if word == "-B" else word for word in words]
    line = b"".join(os.fsencode(word) + b"\0" for word in filled)
    ctypes.memmove(start, line.ljust(end - start, b"\0"), end - start)
