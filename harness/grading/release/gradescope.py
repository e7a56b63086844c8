"""Writes the autograder for Gradescope: a student's package, and scripts that check a submission with it.

After Gradescope's autograder specification: `setup.sh` runs once, `run_autograder` for each submission; what it writes
is /autograder/results/results.json. Only the package is in it, because a submission's code runs in the same container.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

from harness.errors import MachineError, UsageError
from harness.files.whole_file import READ_BY_ALL, whole_file
from harness.grading.release import autograde
from harness.grading.release.package import Released, release
from harness.grading.release.words import gradescope_script
from harness.inputs.assignment import Assignment
from harness.sandbox import Sandbox, open_to_all
from harness.stages.progress import Progress

AUTOGRADER = "autograder.zip"
_SCRIPTS = ("setup.sh", "run_autograder")  # what Gradescope calls
_EXECUTABLE, _PLAIN = 0o100755, 0o100644


def release_autograder(assignment: Assignment, out: Path, sandbox: Sandbox, progress: Progress) -> Released:
    """Write autograder.zip to the folder `out`, which must be new or empty. Raises as `release` does."""
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out}: holds something already", "name a new folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="harness-autograder-") as temporary:
            package = Path(temporary) / "package"
            released = release(assignment, package, sandbox, progress)
            files = {f"package/{name}": (package / name).read_bytes() for name in released.files}
            files["autograde.py"] = Path(autograde.__file__).read_bytes()
            files |= {name: gradescope_script(name, assignment).encode() for name in _SCRIPTS}
            with whole_file(out / AUTOGRADER, READ_BY_ALL) as stream, zipfile.ZipFile(stream, "w") as zipped:
                for name, content in sorted(files.items()):
                    info = zipfile.ZipInfo(name)
                    info.external_attr = (_EXECUTABLE if name in _SCRIPTS else _PLAIN) << 16
                    info.compress_type = zipfile.ZIP_DEFLATED
                    zipped.writestr(info, content)
            open_to_all(out)
    except OSError as error:
        raise MachineError(f"{out}: cannot be written: {error.strerror}", "make room, or take another --out") from error
    return replace(released, folder=out, files=(AUTOGRADER,))
