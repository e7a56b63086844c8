"""Gives up what the engine left a process: resource limits, root, further privileges. Nothing later can undo it."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from typing import Any

_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_CAPABILITY_VERSION_3 = 0x20080522
_PR_SET_NO_NEW_PRIVS = 38


def give_up(settings: Mapping[str, Any]) -> None:
    """Set the resource limits, then switch to the run's own user. Raises `OSError` where the kernel refuses a step.

    `settings` may hold `rlimits` (name without RLIMIT_ -> value) and `uid`; without them only no-new-privileges is
    set, and the process is made unreadable.
    """
    if sys.platform != "linux":  # no engine but `none` runs there, which sets no limits
        return
    import resource

    for name, value in settings.get("rlimits", {}).items():
        which = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(which)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (limit, limit))
    libc = ctypes.CDLL(None, use_errno=True)
    if (uid := settings.get("uid")) is not None:
        for capability in range(64):  # an error means that the kernel has no such capability
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)  # leaving root drops the effective and permitted capabilities
        header, none = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
        if libc.capset(header, none) != 0:
            raise OSError(ctypes.get_errno(), "cannot give up inheritable capabilities")
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot give up new privileges")
    # A notebook's kernel has the same user and must not read or trace this process.
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
