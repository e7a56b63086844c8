"""What a notebook finds of the harness when it is run again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from harness.grading.release.starting_notebook import CHECK_CELL
from harness.sandbox.staging import Staging

_RUN = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell()
print(shell.run_cell(sys.argv[1]).success, shell.run_cell("from harness.handin import save").success)
"""


def test_the_last_cell_of_the_starting_notebook_ends_no_run(tmp_path: Path) -> None:
    """`harness check` and `harness grade` run the notebook with the cell that students check it by."""
    staging = Staging()
    environment = {**os.environ, "PYTHONPATH": str(staging.folder / "site")}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, CHECK_CELL],
        capture_output=True, text=True, env=environment, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["%check does nothing when the notebook is run again.", "True True"]
