"""Gathers the wheels of an environment in one folder, and installs them.

Installing from wheels needs no network and no compiler, which matters inside a container. uv resolves and installs
faster than pip and is used if available; pip downloads.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from harness.errors import MachineError, UsageError
from harness.sandbox.software import Software

LOCK = "lock.txt"  # beside the wheels: each package with its version
_PIP_SECONDS = 3600
_TORCH = "torch=="
_WITHOUT_WHEELS = re.compile(r"imutils\b", re.IGNORECASE)  # published as source alone; it is Python without a build
_OTHER_PINS = ("PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_OVERRIDE", "PIP_REQUIREMENT", "PIP_TARGET", "PIP_USER")


def gather(software: Software, folder: Path, given: Path | None) -> None:
    """Fill `folder` with the environment's wheels and `lock.txt`, from the folder `given` or an index.

    Raises `UsageError` for a folder without wheels, `MachineError` when a wheel is not available.
    """
    if given is not None and not any(given.glob("*.whl")):
        raise UsageError(f"{given}: no wheels in it", "give a folder that pip wheel filled")
    folder.mkdir(parents=True, exist_ok=True)
    offline = ["--no-index", "--find-links", str(given)] if given else []
    for line in _from_source(software):
        _pip("wheel", [*offline, "--wheel-dir", str(folder), "--no-deps", *_pins(software), line])
    for wanted in _wanted(software):
        _pip("download", [*offline, "--only-binary=:all:", "--dest", str(folder), "--find-links", str(folder), *wanted])
    (folder / LOCK).write_text("\n".join(sorted(map(_pin, folder.glob("*.whl")))) + "\n")


def _from_source(software: Software) -> list[str]:
    """The lines of its requirements whose packages have no wheel."""
    lines = (line.strip() for file in software.requirements for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if _WITHOUT_WHEELS.match(line)]


def _pins(software: Software) -> list[str]:
    return ["--constraint", str(software.constraints)] if software.constraints else []


def _wanted(software: Software) -> list[list[str]]:
    """pip's arguments for each download."""
    listed = [part for file in software.requirements for part in ("--requirement", str(file))]
    if software.complete:
        return [["--no-deps", *listed]]
    if software.constraints is None:
        return [listed]
    pins = _pins(software)
    # torch is first, with its exact version: if a CPU build of that version is configured, pip takes it, and the
    # rest is resolved against it.
    exact = [line for line in software.constraints.read_text().splitlines() if line.startswith(_TORCH)]
    return [*([*pins, "--no-deps", line] for line in exact), [*pins, *listed]]


def _pip(command: str, arguments: list[str]) -> None:
    done = subprocess.run(
        [*pip(), command, "--quiet", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=_PIP_SECONDS,
        env=_environment(),
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        raise MachineError(
            "pip cannot download the wheels:\n" + "\n".join(lines)[-2000:],
            "correct the requirements, or give a folder of wheels with --wheels",
        )


def _pin(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


def install(python: Path, wheels: Path) -> None:
    """Install the folder's lock into the interpreter's environment, with bytecode, since it is read-only later.

    Raises `MachineError` when that fails.
    """
    source = ["--no-index", "--no-deps", "--find-links", str(wheels), "--requirement", str(wheels / LOCK)]
    if uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--quiet", "--python", str(python), "--compile-bytecode", *source]
    else:
        command = [
            str(python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-compile",
            *source,
        ]
    steps = [command]
    if not uv:  # pip would use one core for bytecode
        steps.append([str(python), "-m", "compileall", "-q", "-j", "0", str(python.parent.parent / "lib")])
    for step in steps:
        done = subprocess.run(
            step, capture_output=True, text=True, check=False, timeout=_PIP_SECONDS, env=_environment()
        )
        if done.returncode != 0 and step is command:  # a package may contain templates that do not compile
            raise MachineError(f"the packages do not install:\n{done.stderr[-2000:]}", "see the message above")


def _environment() -> dict[str, str]:
    """Our environment variables, less those that would constrain packages besides the lock, as tox's do."""
    return {name: value for name, value in os.environ.items() if name not in _OTHER_PINS}


def pip() -> list[str]:
    """The command for pip: the harness's own, else uv's. Raises `MachineError` when there is neither."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv"):
        return [uv, "tool", "run", "pip"]
    raise MachineError("there is neither pip nor uv", f"{sys.executable} -m ensurepip")
