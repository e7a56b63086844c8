"""The only place in intake that isolates errors of one entry from the others."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TypeVar

from harness.errors import MACHINES_OWN, HarnessError, MachineError
from harness.findings import Finding, finding

T = TypeVar("T")

_MACHINES = MACHINES_OWN | {errno.EAGAIN}  # no more processes, which intake needs for reading


def kept_apart(what: str, work: Callable[[], T], otherwise: Callable[[Finding], T]) -> T:
    """The result of `work` on one entry; if it raises, the result of `otherwise` on a finding about the error.

    Errors of the user and of the machine are raised; a system error of the machine becomes `MachineError`.
    """
    try:
        return work()
    except HarnessError:
        raise
    except OSError as error:
        if error.errno in _MACHINES:
            raise MachineError(f"{what}: {error.strerror}", "make room, or end other programs") from error
        return otherwise(finding("harness-defect", reason=f"{what}: {error.strerror or type(error).__name__}"))
    except Exception as error:  # one entry's error must not stop the others
        return otherwise(finding("harness-defect", reason=f"{what}: {type(error).__name__}", detail=str(error)))
