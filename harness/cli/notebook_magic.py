"""`%check` in a notebook: `harness check` in a process of its own, with what it says below the cell."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from typing import Protocol

from harness.boundary.screen import say

_COMMAND = [sys.executable, "-X", "utf8", "-m", "harness", "check"]
_COLUMNS = "110"  # that fit below a cell
# With which a kernel asks for colours, though what is said here is made visible: a colour would be shown as its code.
_COLOURS = ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE")


class Shell(Protocol):
    """What is used of IPython's shell."""

    def register_magic_function(
        self, func: Callable[[str], None], magic_kind: str = ..., magic_name: str | None = ...
    ) -> None:
        """Make the function a magic."""


def register(shell: Shell) -> None:
    """Let the shell know `%check`."""
    shell.register_magic_function(check, "line", "check")


def check(line: str) -> None:
    """`%check [DIR] [OPTIONS]`: as `harness check`, on the notebook's own folder by default.

    What is checked is what lies on the disk: save the notebook first.
    """
    arguments = [*_COMMAND, *shlex.split(line, posix=os.name != "nt")]
    environment = {name: value for name, value in os.environ.items() if name not in _COLOURS}
    environment["COLUMNS"] = _COLUMNS
    with subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
    ) as process:
        assert process.stdout is not None
        for said in process.stdout:
            say(said.rstrip("\n"))
