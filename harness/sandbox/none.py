"""The engine without a sandbox, for trusted code where no other engine works. It protects from nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from harness.sandbox import virtual_environments
from harness.sandbox.engine import Job, Outcome
from harness.sandbox.process import Conversation, Stopped, status_of, supervise
from harness.sandbox.python_environment import PythonEnvironment
from harness.sandbox.software import TORCH, Software
from harness.sandbox.staging import Staging

_WINDOWS = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT")  # without which no process starts there


class NoProtection:
    """Runs the agent as an ordinary child process of the same user."""

    name = "none"

    def __init__(self) -> None:
        self._staging = Staging()
        self._stopping = threading.Event()

    @property
    def environment_id(self) -> str:
        return self.software_id(TORCH) or "none"

    def software_id(self, software: Software) -> str | None:
        python = virtual_environments.find(software)
        return f"none {python.id}" if python else None

    @property
    def not_enforced(self) -> tuple[str, ...]:
        return (
            "everything but the wall time: submissions run as you, with your files and your network, "
            "and without limits on memory, processes or disk",
        )

    def stop(self) -> None:
        self._stopping.set()

    def run(self, job: Job, outputs: Path) -> Outcome:
        python = virtual_environments.ready(job.software)
        with TemporaryDirectory(prefix="harness-none-", ignore_cleanup_errors=True) as temporary:
            here = Path(temporary)
            for name in ("in", "work", "tmp"):
                (here / name).mkdir()
            for name, path in job.inputs.items():
                _give(path.resolve(), here / "in" / name)
            agent = self._staging.folder / "agent" / "__main__.py"
            process = subprocess.Popen(
                [str(python.python), "-I", "-B", str(agent), job.phase],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=here / "work",
                env=_variables(job, here, python),
                start_new_session=True,
            )
            conversation = Conversation(job, {}, outputs)
            ended = supervise(process, conversation, self._check, lambda: _kill(process))
        return Outcome(
            status=status_of(ended, memory_limit_hit=False),
            exit_code=ended.exit_code,
            log=ended.log,
            seconds=ended.seconds,
            cpu_seconds=None,
            peak_memory_bytes=None,
            memory_limit_hit=False,
        )

    def _check(self) -> Stopped:
        return "stop" if self._stopping.is_set() else ""


def _give(source: Path, place: Path) -> None:
    """Put an input in its place: as a link or, where links need a privilege, as a copy."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:
        shutil.copytree(source, place) if source.is_dir() else shutil.copyfile(source, place)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process, its descendants and its session; a descendant that left all of these escapes."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        process.kill()


def _variables(job: Job, here: Path, python: PythonEnvironment) -> dict[str, str]:
    threads = str(job.limits.cpus)
    return {
        **{name: os.environ[name] for name in _WINDOWS if name in os.environ},
        "PATH": os.pathsep.join([str(python.python.parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(here / "work"),
        "TMPDIR": str(here / "tmp"),
        "LANG": "C.UTF-8",
        "HARNESS_IN": str(here / "in"),
        "HARNESS_WORK": str(here / "work"),
        "HARNESS_CPUS": threads,
        "OMP_NUM_THREADS": threads,
    }
