"""The command line as a user calls it: in a process of its own, with a cache of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HARNESS = [sys.executable, "-m", "harness"]


def run_harness(
    *arguments: object, cache: Path, cwd: Path | None = None, command: list[str] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """What `harness ARGUMENTS` did, whatever its exit status; `command` stands for `harness`, wrapped in another."""
    return subprocess.run(
        [*(command or HARNESS), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
        cwd=cwd,
        env={**os.environ, "HARNESS_CACHE": str(cache), **environment},
    )


def grade(submissions: Path, assignment: Path, out: Path, cache: Path, **more):
    """`harness grade` in bubblewrap."""
    return run_harness(
        "grade", submissions, "--assignment", assignment, "--out", out, "--sandbox", "bubblewrap", cache=cache, **more
    )
