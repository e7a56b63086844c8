"""The agent's side of the process that runs a student's code (`model_process.py`): start it and talk to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from ..process import end_all_others
from ..start import spare_process
from . import messages
from .loaded_model import NeedsEnvironment, Unusable

_PROGRAM = Path(__file__).with_name("model_process.py")
_LONGEST_REASON = 2000  # characters

Reply = tuple[dict[str, Any], NDArray[Any] | None]


class OwnProcess:
    """A process that inherits only its two pipes, and descriptors that are passed on purpose."""

    def __init__(self, descriptors: Sequence[int] = ()) -> None:
        """`descriptors`: open files that it inherits, under the same numbers."""
        self._process = spare_process.for_a_model(descriptors) or subprocess.Popen(
            [sys.executable, "-I", "-B", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=tuple(descriptors),
        )
        self.pid = self._process.pid
        self.has_ended = False

    def ask(self, said: dict[str, Any], array: NDArray[Any] | None = None) -> Reply:
        """Its reply. Raises `Unusable` or `NeedsEnvironment` when it reports one; if it died, exits as it did."""
        streams = self._process.stdin, self._process.stdout
        assert streams[0] is not None and streams[1] is not None
        try:
            messages.write(_bytes(streams[0]), said, array)
            reply, rows = messages.read(_bytes(streams[1]))
        except (EOFError, OSError):
            _end_as(self._process.wait())
        except messages.Malformed as error:
            self.end()
            raise Unusable(f"the model's process sent something that is no answer ({error})") from error
        if "needs" in reply:
            raise NeedsEnvironment(str(reply["needs"])[:32], str(reply.get("why"))[:300])
        if "refused" in reply:
            raise Unusable(str(reply["refused"])[:_LONGEST_REASON])
        return reply, rows

    def end(self) -> None:
        """Kill the process and all of its descendants."""
        self.has_ended = True
        self._process.kill()
        self._process.wait()
        end_all_others()


def _bytes(stream: Any) -> BinaryIO:
    return stream  # type: ignore[no-any-return]


def _end_as(code: int) -> None:
    """Exit this process as the model's exited, by signal or status, so that the harness sees how it ended."""
    if code < 0:
        print(f"the model's process was ended by {signal.Signals(-code).name}", file=sys.stderr, flush=True)
        os._exit(128 - code)
    print(
        f"the model's process ended by itself with status {code}; its code must not end it", file=sys.stderr, flush=True
    )
    os._exit(code or 1)
