"""A phase for `harness doctor` and the engines' tests: runs Python code in a child and sends the files it wrote."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..paths import WORK
from ..process import end_all_others


def run(request: dict[str, Any], send: Callable[[str, Path | bytes], None]) -> None:
    """Run `request["code"]` as a separate program; send the plain files of /work/out, then its status."""
    out = WORK / "out"
    out.mkdir()
    status = subprocess.run([sys.executable, "-I", "-c", request["code"]], cwd=WORK, check=False).returncode
    end_all_others()
    for file in sorted(out.iterdir()):
        if file.is_file() and not file.is_symlink():
            send(file.name, file)
    send("status.txt", str(status).encode())
