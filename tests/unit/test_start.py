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
