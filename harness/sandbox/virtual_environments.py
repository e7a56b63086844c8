"""The virtual environments in which bubblewrap runs submissions, built once per lock and kept in the cache.

<cache>/environments/<lock>/env             the virtual environment
<cache>/environments/<lock>/environment.json  its record, written last, so that a half-built one does not count
<cache>/environments/<lock>.building        locked by the process that builds it, for any engine
"""

from __future__ import annotations

import contextlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import EnvironmentMissing, MachineError
from harness.files.system import lock
from harness.files.user_folders import default_folder
from harness.files.whole_file import READ_BY_ALL, whole_file
from harness.inputs.environment_names import EnvironmentName
from harness.sandbox.python_environment import PythonEnvironment, harness_own
from harness.sandbox.software import TORCH, Software
from harness.sandbox.wheels import LOCK, install

_RECORD = "environment.json"
_VENV_SECONDS = 300


class Built(BaseModel):
    """The record of a built environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: EnvironmentName
    lock: str
    python: str  # version
    packages: tuple[str, ...]


def find(software: Software) -> PythonEnvironment | None:
    """The installation of the software; for torch it may be the harness's own. None when there is none."""
    own = harness_own()
    if software == TORCH and not own.missing_packages():
        return own
    folder = folder_of(software.lock)
    built = _record(folder)
    return PythonEnvironment(folder / "env") if built and built.python == platform.python_version() else None


def ready(software: Software) -> PythonEnvironment:
    """The installation of the software. Raises `EnvironmentMissing` when it is not built."""
    found = find(software)
    if found is None:
        raise EnvironmentMissing(f"the notebook needs the environment {software.name}", software.build_command)
    return found


def build(software: Software, wheels: Path, say: Callable[[str], None]) -> PythonEnvironment:
    """Build the virtual environment from a folder that `wheels.gather` filled. Raises `MachineError`."""
    folder = folder_of(software.lock)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / "env", ignore_errors=True)
        (folder / _RECORD).unlink(missing_ok=True)
        say(f"Installing {software.name} into {folder} ...")
        _make(folder / "env")
        environment = PythonEnvironment(folder / "env")
        install(environment.python, wheels)
        _read_only_for_others(folder)
        packages = tuple((wheels / LOCK).read_text().split())
        built = Built(name=software.name, lock=software.lock, python=platform.python_version(), packages=packages)
        with whole_file(folder / _RECORD, READ_BY_ALL) as record:
            record.write(built.model_dump_json(indent=1).encode())
    except OSError as error:
        raise _no_place(folder, error) from error
    return environment


@contextlib.contextmanager
def only_builder(software: Software) -> Iterator[None]:
    """Hold the environment's build lock; while another process builds it, wait.

    Raises `MachineError` where the cache cannot be written.
    """
    file = folder_of(software.lock).with_suffix(".building")
    with contextlib.ExitStack() as stack:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            lock(stack.enter_context(file.open("w")), wait=True)
        except OSError as error:
            raise _no_place(file.parent, error) from error
        yield


def _no_place(folder: Path, error: OSError) -> MachineError:
    return MachineError(
        f"{folder}: cannot build there: {error.strerror}", "set HARNESS_CACHE to a folder with a few GB of room"
    )


def every() -> list[Built]:
    """All that are built, by name."""
    if not _folder().is_dir():
        return []
    records = [_record(folder) for folder in _folder().iterdir() if folder.is_dir()]
    return sorted((built for built in records if built), key=lambda built: (built.name, built.lock))


def remove(lock: str) -> bool:
    """Remove the environment of this lock; return whether there was one."""
    folder = folder_of(lock)
    if not folder.is_dir():
        return False
    (folder / _RECORD).unlink(missing_ok=True)
    shutil.rmtree(folder)
    return True


def folder_of(lock: str) -> Path:
    """The folder for the environment of this lock."""
    return _folder() / lock


def _folder() -> Path:
    return default_folder() / "environments"


def _record(folder: Path) -> Built | None:
    try:
        return Built.model_validate_json((folder / _RECORD).read_bytes())
    except (OSError, ValidationError):
        return None


def _make(folder: Path) -> None:
    """Create a virtual environment with the harness's Python."""
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_VENV_SECONDS,
    )
    if done.returncode != 0:
        raise MachineError(
            f"no virtual environment can be made: {(done.stderr or done.stdout).strip()[-500:]}",
            "install Python's venv module (Debian: python3-venv)",
        )


def _read_only_for_others(folder: Path) -> None:
    """Make the folder readable for others, whatever the umask, because the sandbox's user reads it."""
    for part in (folder, *folder.rglob("*")):
        if not part.is_symlink():
            part.chmod(part.stat().st_mode | (0o055 if part.is_dir() or part.stat().st_mode & 0o100 else 0o044))
