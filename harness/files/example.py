"""The example of each task: an assignment, what renders its images, and submissions, as `make demo` and
`make demo-detection` grade them.

They are data of the wheel (`harness/example/`, see pyproject.toml), and lie at the top of a checkout.
"""

from __future__ import annotations

import filecmp
import re
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from harness.errors import MachineError, UsageError, cannot_write

_PACKAGE = Path(__file__).resolve().parents[1]
Task = Literal["classification", "detection"]
_SUBMISSIONS: dict[Task, str] = {"classification": "submissions", "detection": "submissions_detection"}
_RENDERER = Path("reference_solution", "classification", "rendering")  # draws the objects of both
_LEFT_OUT = {"__pycache__", "data", "baseline", "reports"}
_MADE = {"ssd-mobilenet.onnx", "best.onnx", "labels.txt", ".made"}  # by make_models.py of the detection example
_RENDERING_SECONDS = 1800
_PROGRESS = re.compile(r"\d+/\d+ images")  # what render_images.py says on stderr
_LINES_OF_AN_ERROR = 15


def write_example(folder: Path, say: Callable[[str], None], task: Task = "classification") -> None:
    """Copy the task's example into the folder and render its images, which takes minutes; what is there is kept.

    The models of the detection example's submissions are too large to be kept: `submissions/make_models.py` makes them.

    Raises `UsageError`, before anything is written, for a file that is there and differs; `MachineError` when the
    example cannot be written or rendered.
    """
    wanted = {folder / place: file for place, file in _contents(task).items()}
    there = {target for target in wanted if target.exists()}
    if differ := [str(target) for target in sorted(there) if not filecmp.cmp(target, wanted[target], shallow=False)]:
        raise UsageError(f"{differ[0]}: there already, and not overwritten", "name a new folder")
    with cannot_write(folder):
        for target, file in wanted.items():
            if target not in there:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    say("Rendering the example's images; this takes minutes ...")
    _render(folder, say)


def _render(folder: Path, say: Callable[[str], None]) -> None:
    """Call the example's own program. Raises `MachineError` with the end of what it said."""
    command = [sys.executable, str(folder / "render_images.py"), "--out", str(folder / "data")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as rendering:
        late = threading.Timer(_RENDERING_SECONDS, rendering.kill)
        late.start()
        assert rendering.stderr is not None  # it is a pipe
        said: deque[str] = deque(maxlen=_LINES_OF_AN_ERROR)
        for line in rendering.stderr:
            said.append(line)
            if _PROGRESS.fullmatch(line.strip()):
                say(line.strip())
        rendering.wait()
        late.cancel()
    if rendering.returncode != 0:
        raise MachineError(f"the example's images were not rendered:\n{''.join(said)}", "see the error above")


def _contents(task: Task) -> dict[Path, Path]:
    """Where each file goes, relative to the folder, and where it is."""
    top = _top()
    course, submissions = top / "reference_solution" / task, top / _SUBMISSIONS[task]
    found = {"rendering" / file.relative_to(top / _RENDERER): file for file in _files(top / _RENDERER)}
    found |= {file.relative_to(course): file for file in _files(course)}
    for file in _files(submissions):
        if task == "classification" or file.name not in _MADE:
            found["submissions" / file.relative_to(submissions)] = file
    return found


def _files(top: Path) -> Iterator[Path]:
    """The example's own files: nothing rendered, trained or compiled."""
    for file in sorted(top.rglob("*")):
        if file.is_file() and not _LEFT_OUT & set(file.relative_to(top).parts):
            yield file


def _top() -> Path:
    """The folder that holds the examples: in the wheel, else the checkout."""
    for top in (_PACKAGE / "example", _PACKAGE.parent):
        if (top / _RENDERER).is_dir():
            return top
    raise MachineError("this installation lacks the example", "install transfer-harness from its wheel or a checkout")
