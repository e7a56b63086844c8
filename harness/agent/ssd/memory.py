"""Gives free memory back to the system."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Return what the C library keeps of freed blocks; does nothing where that is not glibc.

    glibc before 2.38 does not use a freed aligned block for the next one of its size, so torch's tensors of megabytes
    leave holes: 1.5 MB for each view, 4.6 GB for 3,000.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
