"""Builds what the tests' sandboxes run in: `python tests/build_environments.py [--in-background]`.

To gather and install packages takes minutes, half of them waiting, so it is begun before the unit tests, which need
none of it. What is built is kept. Without `--in-background` it also waits for what another process is building: the
tests after it need that, and none that measures time should run beside it.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.sandbox import KERAS, TORCH, environments


def main() -> None:
    if "--in-background" in sys.argv:
        with (Path(tempfile.gettempdir()) / "harness-tests-environments.log").open("w") as log:
            subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return
    base = os.environ.get("HARNESS_DOCKER_BASE", "")
    if base:
        environments.build(TORCH, base, None, print, engine="docker")
    environments.build(KERAS, base, None, print, engine="all" if base else "bubblewrap")


if __name__ == "__main__":
    main()
