"""`harness` as it is called, which says at its end how much memory it had at most."""

import subprocess
import sys

MOST_MEMORY = 300 * 2**20  # bytes of the harness's own process over its size with all libraries, before any work
# By what a run does, not by what it is handed: libraries that are no part of its work on a submission.
LOADED_LATE = (
    *("scipy.fft", "scipy.ndimage", "scipy.optimize", "scipy.spatial", "scipy.stats", "sklearn.metrics"),
    *("pandas", "hotcoco", "sqlalchemy"),
)
PROGRAM = f"""
import atexit, sys
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
from harness.cli.main import main
import harness.cli.grade
import {", ".join(LOADED_LATE)}
idle = peak()
atexit.register(lambda: print("memory", peak() - idle, file=sys.stderr))
sys.argv[0] = "harness"
main()
"""


def run_measured(*arguments: object, timeout: float = 600, **options: object) -> "subprocess.CompletedProcess[str]":
    """`harness` with these arguments, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        capture_output=True, text=True, timeout=timeout, check=False, **options,
    )  # fmt: skip


def memory_of(done: "subprocess.CompletedProcess[str]") -> int:
    """Bytes over the idle size."""
    return int(next(line.split()[1] for line in done.stderr.splitlines() if line.startswith("memory ")))
