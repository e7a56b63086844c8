"""Starts bwrap with its options in a file, since any user can read a command line."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from harness.sandbox import system_calls


def started(
    program: Path,
    options: Iterable[str],
    command: Sequence[str],
    streams: tuple[int, int, int],
    *,
    prefix: Sequence[str] = (),
    filtered: bool = True,
    info: int | None = None,
) -> subprocess.Popen[bytes]:
    """bwrap, which becomes `command` in its box.

    `prefix`: a command that becomes bwrap. `streams`: descriptors for stdin, stdout and stderr, or `subprocess.PIPE`.
    `filtered`: whether system calls are, where this processor has a list. `info`: a descriptor to which bwrap writes
    the PID of its child as JSON. Raises `OSError`.
    """
    with ExitStack() as stack:
        arguments, kept_open = list(options), []
        if filtered and system_calls.is_supported():
            file = stack.enter_context(tempfile.TemporaryFile())
            _write_from_start(file, system_calls.program())
            kept_open.append(file.fileno())
            arguments += ["--seccomp", str(file.fileno())]
        if info is not None:
            kept_open.append(info)
            arguments += ["--info-fd", str(info)]
        file = stack.enter_context(tempfile.TemporaryFile())
        _write_from_start(file, b"".join(os.fsencode(argument) + b"\0" for argument in arguments))
        kept_open.append(file.fileno())
        return subprocess.Popen(
            [*prefix, str(program), "--args", str(file.fileno()), "--", *command],
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            pass_fds=kept_open,
            start_new_session=True,  # Ctrl-C goes to the harness only, which then ends its jobs
        )


def _write_from_start(file: IO[bytes], content: bytes) -> None:
    """Write the content and seek to the start, from which the receiver of the descriptor reads."""
    file.write(content)
    file.seek(0)
