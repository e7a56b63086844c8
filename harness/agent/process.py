"""Ending everything else in the sandbox, so that what is collected can no longer be changed."""

from __future__ import annotations

import contextlib
import os
import signal

_alone = False


def declare() -> None:
    """Say, once and at the start, that an engine shut this process in: all others that it sees are its own."""
    global _alone
    _alone = True


def end_all_others() -> None:
    """Kill every process in the sandbox but this one. Does nothing where no sandbox is.

    The kernel signals all of them in one step, so a process that forks meanwhile does not get away.
    """
    if _alone:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
