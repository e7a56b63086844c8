"""A notebook's kernel from the process that was forked with the agent (`spare_process.py`), instead of a new Python.

That process has imported what every kernel imports before the first cell, and nothing else that a notebook could see:
`import torch` and a forgotten `import numpy` do what they do in a kernel that starts cold.
"""

from __future__ import annotations

import importlib
import linecache
import os
import subprocess
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

from ..start import command_line, spare_process

# With what they import, what a kernel has loaded at its first cell.
MODULES = (
    "ipykernel_launcher",
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "encodings.idna",
    "faulthandler",
    "runpy",
    "sqlite3",
    "tornado.locks",
    "tornado.platform.asyncio",
    "tornado.queues",
)
_OF_THE_ZYGOTE = ("agent", "gc", "resource")


def launch(command: list[str], **options: Any) -> spare_process.SpareProcess | subprocess.Popen[bytes]:
    """Start a kernel, as `jupyter_client.launcher.launch_kernel` does."""
    from jupyter_client.launcher import launch_kernel

    variables = {**options["env"], "JPY_PARENT_PID": str(os.getpid())}  # by which it ends with its parent
    said = {"arguments": command[3:], "variables": variables, "folder": options["cwd"]}
    pid = spare_process.told(said, {}) if command[1:3] == ["-m", "ipykernel_launcher"] else None
    return launch_kernel(command, **options) if pid is None else spare_process.SpareProcess(pid)


def become(said: Mapping[str, Any]) -> None:
    """Be `python -m ipykernel_launcher` with the arguments."""
    launcher = sys.modules.pop("ipykernel_launcher")
    for name in [name for name in sys.modules if name.partition(".")[0] in _OF_THE_ZYGOTE]:
        del sys.modules[name]
    at_start = [path for path in sys.path if not path.startswith("/opt/harness")]
    sys.path[:] = [*os.environ["PYTHONPATH"].split(os.pathsep), *at_start]
    sys.argv[:] = [str(launcher.__file__), *said["arguments"]]
    sys.orig_argv[:] = [sys.executable, "-m", "ipykernel_launcher", *said["arguments"]]
    command_line.become(sys.orig_argv)
    _hide_sources(sys._getframe())
    parent = int(os.environ["JPY_PARENT_PID"])  # ipykernel read it when it was imported
    importlib.import_module("ipykernel.kernelapp").IPKernelApp.launch_instance(parent_handle=parent)


def _hide_sources(frame: FrameType | None) -> None:
    """Let whoever prints the whole stack find no source lines of the frames below the kernel, and read no file.

    A library that does so, torch among them, would seem to be the notebook reading the harness's files.
    """
    while frame is not None:
        name = frame.f_code.co_filename
        linecache.cache[name] = (0, None, [], name)  # without a time of change: never read again
        frame = frame.f_back
