"""The one place in intake where trouble with one entry is kept from the others."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TypeVar

from harness.errors import MACHINES_OWN, HarnessError, MachineError
from harness.findings import Finding, finding

T = TypeVar("T")

_MACHINES = MACHINES_OWN | {errno.EAGAIN}  # no more processes: intake reads each thing in one of its own


def kept_apart(what: str, work: Callable[[], T], otherwise: Callable[[Finding], T]) -> T:
    """What `work` makes of one entry; whatever it raises becomes a finding, and `otherwise` goes on with that.

    Errors of the user's and of the machine's stay errors: `MachineError` where the system itself says so.
    """
    try:
        return work()
    except HarnessError:
        raise
    except OSError as error:
        if error.errno in _MACHINES:
            raise MachineError(f"{what}: {error.strerror}", "make room, or end other programs") from error
        return otherwise(finding("harness-defect", reason=f"{what}: {error.strerror or type(error).__name__}"))
    except Exception as error:  # so that one entry's trouble does not stop the others
        return otherwise(finding("harness-defect", reason=f"{what}: {type(error).__name__}", detail=str(error)))
