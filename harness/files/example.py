"""The example: an assignment, what renders its images, and submissions, as `make demo` grades them.

They are data of the wheel (`harness/example/`, see pyproject.toml), and lie at the top of a checkout.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.errors import MachineError, UsageError, cannot_write

_PACKAGE = Path(__file__).resolve().parents[1]
_IGNORED = shutil.ignore_patterns("__pycache__", "data", "baseline")
_RENDERING_SECONDS = 1800


def write_example(folder: Path, say: Callable[[str], None]) -> None:
    """Copy the example into a new folder and render its images, which takes a minute.

    Raises `UsageError` for a folder that holds something, `MachineError` when it cannot be written or rendered.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: holds something already, and nothing is overwritten", "name a new folder")
    course, submissions = _sources()
    with cannot_write(folder):
        shutil.copytree(course, folder, ignore=_IGNORED, dirs_exist_ok=True)
        shutil.copytree(submissions, folder / "submissions", ignore=_IGNORED)
    say("Rendering the example's images ...")
    command = [sys.executable, str(folder / "render_images.py"), "--out", str(folder / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_RENDERING_SECONDS, check=False)
    if done.returncode != 0:
        raise MachineError(f"the example's images were not rendered:\n{done.stderr[-1000:]}", "see the error above")


def _sources() -> tuple[Path, Path]:
    """The folders of the course and of the submissions: in the wheel, else in the checkout."""
    for top in (_PACKAGE / "example", _PACKAGE.parent):
        course, submissions = top / "reference_solution" / "classification", top / "submissions"
        if course.is_dir() and submissions.is_dir():
            return course, submissions
    raise MachineError("this installation lacks the example", "install transfer-harness from its wheel or a checkout")
