"""`harness env`: build an environment for the engines of this machine, list what is built, remove it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from harness.errors import MachineError, UsageError
from harness.sandbox import virtual_environments
from harness.sandbox.python_environment import harness_own
from harness.sandbox.software import KERAS, TORCH, Software
from harness.sandbox.wheels import gather

Kind = Literal["virtual environment", "image", "own"]


@dataclass(frozen=True, slots=True)
class Environment:
    """One built environment: a virtual environment or an image."""

    name: str
    lock: str
    kind: Kind
    place: str  # folder, or tag
    current: bool  # whether this version of the harness would use it

    def __str__(self) -> str:
        return f"{self.name}  {self.place}"


def build(
    software: Software, base: str, wheels: Path | None, say: Callable[[str], None], *, engine: str = "all"
) -> list[Environment]:
    """Build the environment for `engine` (`bubblewrap`, `docker`, or `all` that work here), from one set of wheels.

    An existing environment is kept, also one that another process built while this one waited. Raises `MachineError`
    when there is no engine, or a build fails.
    """
    from harness.sandbox import image  # here and below: engines are imported where they are used
    from harness.sandbox.bubblewrap import find_bwrap

    for_bubblewrap = engine == "bubblewrap" or (engine == "all" and find_bwrap() is not None)
    for_docker = engine == "docker" or (engine == "all" and image.engine_answers())
    if not for_bubblewrap and not for_docker:
        raise MachineError("there is no sandbox engine to build for", "harness doctor")
    with virtual_environments.only_builder(software):
        to_make: list[Kind] = []
        if for_bubblewrap and virtual_environments.find(software) is None:
            to_make.append("virtual environment")
        if for_docker and not image.image_is_built(software):
            to_make.append("image")
        if to_make:
            _make(to_make, software, base, wheels, say)
    return [one for one in every() if one.lock == software.lock]


def _make(to_make: list[Kind], software: Software, base: str, wheels: Path | None, say: Callable[[str], None]) -> None:
    from harness.sandbox import image

    with TemporaryDirectory(prefix="harness-wheels-") as folder:
        say(f"Gathering the wheels of {software.name} ...")
        gather(software, Path(folder), wheels)
        if "virtual environment" in to_make:
            virtual_environments.build(software, Path(folder), say)
        if "image" in to_make:
            image.build_image(software, base, Path(folder), say)


def every() -> list[Environment]:
    """All built environments, and the harness's own installation if it serves as torch's."""
    from harness.sandbox import image

    current = {TORCH.lock, KERAS.lock}
    own = harness_own()
    found = []
    if not own.missing_packages():
        found.append(Environment(TORCH.name, TORCH.lock, "own", str(own.prefix), True))
    for built in virtual_environments.every():
        is_current = built.name == "course" or built.lock in current
        place = str(virtual_environments.folder_of(built.lock))
        found.append(Environment(built.name, built.lock, "virtual environment", place, is_current))
    if image.engine_answers():
        found += [
            Environment(one.name, one.lock, "image", one.tag, one.name == "course" or one.lock in current)
            for one in image.images()
        ]
    return sorted(found, key=lambda one: (one.name, one.kind, one.lock))


def remove(given: str) -> list[Environment]:
    """Remove all built forms of the environments with this name or lock; return what was removed.

    Raises `UsageError` when there is none.
    """
    from harness.sandbox import image

    chosen = [one for one in every() if given in (one.name, one.lock) and one.kind != "own"]
    if not chosen:
        raise UsageError(f"no built environment {given!r}", "see harness env list")
    for one in chosen:
        if one.kind == "image":
            image.remove_image(one.lock)
        else:
            virtual_environments.remove(one.lock)
    return chosen
