"""A process of a job, however it was started."""

from __future__ import annotations

from typing import IO, Protocol


class Running(Protocol):
    """What is needed of a `subprocess.Popen` here."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def wait(self) -> int:
        """The exit status, negative for a signal."""
