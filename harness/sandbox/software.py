"""The software that submissions run with: a name, and the files that list its packages.

`torch` and `keras` come with the harness; `course` is an instructor's requirements.txt and what the agent needs
besides. A lock's hash names the virtual environment and the Docker image that are built from it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from harness.errors import UsageError
from harness.inputs.environment_names import EnvironmentName

_FILES = Path(__file__).parent / "environments"


Framework = Literal["torch", "tensorflow"]
_DISTRIBUTIONS: dict[str, Framework] = {"torch": "torch", "tensorflow": "tensorflow", "tensorflow-cpu": "tensorflow"}


@dataclass(frozen=True)
class Software:
    """One environment's packages, not its built form."""

    name: EnvironmentName
    requirements: tuple[Path, ...]
    constraints: Path | None = None  # exact versions for what `requirements` leaves open
    complete: bool = False  # `requirements` lists every package: nothing is resolved

    @cached_property
    def lock(self) -> str:
        """The hash of requirements and constraints, 12 hex digits."""
        files = (*self.requirements, *((self.constraints,) if self.constraints else ()))
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]

    @property
    def build_command(self) -> str:
        """The command that builds it."""
        return f"harness env build {self.requirements[-1] if self.name == 'course' else self.name}"

    @cached_property
    def frameworks(self) -> frozenset[Framework]:
        """The frameworks that its requirements name."""
        named = (re.match(r"[A-Za-z0-9._-]+", line.strip()) for file in self.requirements for line in _lines(file))
        names = {re.sub(r"[-_.]+", "-", match[0]).lower() for match in named if match}
        return frozenset(framework for name, framework in _DISTRIBUTIONS.items() if name in names)


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


TORCH = Software("torch", (_FILES / "torch.txt",), constraints=_FILES / "torch.lock")
KERAS = Software("keras", (_FILES / "keras.lock",), complete=True)


def course(requirements: Path) -> Software:
    """The environment of a course's requirements.txt. Raises `UsageError` when it is not a text file."""
    try:
        requirements.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(
            f"{requirements}: cannot be read: {reason}", "give a requirements.txt as pip reads it"
        ) from error
    return Software("course", (_FILES / "agent.txt", requirements.resolve()))


def named(given: str) -> Software:
    """`torch`, `keras`, or the path of a requirements.txt. Raises `UsageError` for anything else."""
    for known in (TORCH, KERAS):
        if given == known.name:
            return known
    if not Path(given).is_file():
        raise UsageError(f"no environment {given!r}", "give torch, keras, or the path of a requirements.txt")
    return course(Path(given))
