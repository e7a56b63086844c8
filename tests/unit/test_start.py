"""The commands start fast: libraries that take long to load are imported where something is computed with them."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Library -> about how long it takes to load (seconds of processor time).
SLOW = {"sklearn": 1.2, "scipy.stats": 0.8, "scipy.optimize": 0.5, "scipy.ndimage": 0.3, "pandas": 0.5, "torch": 1.8}


@pytest.mark.parametrize("command", ["grade", "export", "mark", "intake"])
def test_a_command_that_finds_all_in_the_cache_loads_no_slow_library(command: str):
    code = f"import sys, harness.cli.{command}; print(*[name for name in {list(SLOW)} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == []


# Parts of the harness that no grade needs where all is kept, and libraries that load for what it does not do.
NOT_NEEDED = ("harness.bench.measure", "harness.bench.compare", "harness.report.bench", "scipy.special", "alembic")
MOST_MODULES = 1200  # of all libraries and ours, in a grade; 1,170 when this was written


def loaded(code: str) -> list[str]:
    """The modules that the code imports, as the interpreter tells when it imports them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    return [line.rpartition("|")[2].strip() for line in lines]


def test_a_grade_loads_no_more_than_it_needs():
    names = loaded("import harness.cli.grade")
    assert not set(NOT_NEEDED) & set(names)
    assert len(names) < MOST_MODULES


def test_help_and_the_first_line_of_a_check_load_no_stage():
    names = loaded("import harness.cli.main, harness.cli.check")
    slow = ("numpy", "pydantic", "harness.stages", "harness.sandbox", "harness.grading")
    assert not [name for name in names if name in slow]
    assert len(names) < 400
