"""Chooses the engine that runs the submissions, and diagnoses each engine for `harness doctor`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.errors import EngineFailed, HarnessError, NoSandbox, UsageError
from harness.inputs.engine_names import EngineName
from harness.sandbox.engine import Job, Limits, Sandbox
from harness.sandbox.none import NoProtection
from harness.sandbox.python_environment import harness_own
from harness.sandbox.software import TORCH


def _docker(runtime: str | None = None) -> Sandbox:
    """Docker, whose client a student need not have installed. Raises `NoSandbox`."""
    try:
        from harness.sandbox.docker import Docker
    except ImportError as error:
        raise NoSandbox(f"Docker's client is not installed ({error})", _INSTALL) from error
    return Docker(runtime)


def _bubblewrap() -> Sandbox:
    """bubblewrap, which only Linux has. Raises `NoSandbox`."""
    try:
        from harness.sandbox.bubblewrap import Bubblewrap
    except (ImportError, AttributeError) as error:
        raise NoSandbox(f"bubblewrap is for Linux ({error})", _INSTALL) from error
    return Bubblewrap()


ENGINES: dict[str, Callable[[], Sandbox]] = {"docker": _docker, "bubblewrap": _bubblewrap, "none": NoProtection}

_TRIAL = Limits(60, 512 * 2**20, 1, 64, 2**24, 2**20)
_INSTALL = (
    "pip install 'transfer-harness[grade,torch]' on Linux (it brings bubblewrap), allow unprivileged user "
    "namespaces, or start Docker and run: harness env build; most containers allow none of these: there, for models "
    "and notebooks that you trust, --sandbox none"
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """An engine that works, and why it was chosen."""

    sandbox: Sandbox
    reason: str


@dataclass(frozen=True, slots=True)
class EngineReport:
    """The diagnosis of one engine on this machine."""

    name: str
    works: bool
    version: str
    detail: str  # why it does not work
    not_enforced: tuple[str, ...]
    is_default: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def choose(name: EngineName = "auto", runtime: str | None = None) -> Chosen:
    """The engine with that name, after a trivial job; `auto` takes Docker, else bubblewrap.

    `runtime`: a runtime of Docker's, which then is the only candidate. Raises `UsageError` for a runtime with another
    engine, `NoSandbox` with what to install when the engine does not work, or with `auto` none does.
    """
    if runtime is not None:
        if name not in ("auto", "docker"):
            raise UsageError(f"--runtime {runtime} is for Docker, not for {name}", "use --sandbox docker")
        return Chosen(_working("docker", lambda: _docker(runtime)), f"as asked, with the runtime {runtime}")
    if name != "auto":
        return Chosen(_working(name), "as asked")
    try:
        return Chosen(_working("docker"), "a Docker Engine answers and has our image")
    except HarnessError as error:
        no_docker = error.message
    try:
        return Chosen(_working("bubblewrap"), f"no Docker: {no_docker}")
    except HarnessError as error:
        raise NoSandbox(
            f"no sandbox engine works here\n  docker: {no_docker}\n  bubblewrap: {error.message}", _INSTALL
        ) from error


def diagnose() -> list[EngineReport]:
    """A report on every engine, each tested with a job."""
    reports: list[EngineReport] = []
    for name in ENGINES:
        default = name != "none" and not any(report.is_default for report in reports)
        try:
            sandbox = _working(name)
        except HarnessError as error:
            reports.append(EngineReport(name, False, "", str(error), (), False))
        else:
            version = getattr(sandbox, "version", str)()
            reports.append(EngineReport(name, True, version, "", sandbox.not_enforced, default))
    return reports


def _working(name: str, make: Callable[[], Sandbox] | None = None) -> Sandbox:
    """The engine, after a trivial job that imports what submissions need. Raises `HarnessError`."""
    sandbox = (make or ENGINES[name])()
    if sandbox.software_id(TORCH) is None:
        raise NoSandbox(
            f"this Python lacks {', '.join(harness_own().missing_packages())}, which submissions need",
            f"pip install 'transfer-harness[torch]', or {TORCH.build_command}",
        )
    request = json.dumps({"code": "open('out/ok', 'w').write('ok')"}).encode()
    with TemporaryDirectory(prefix="harness-trial-") as outputs:
        try:
            outcome = sandbox.run(Job("selfcheck", request, {}, _TRIAL), Path(outputs))
        except EngineFailed as error:  # it says `harness doctor`, which is what asks here
            raise NoSandbox(error.message, _INSTALL) from error
        if outcome.status != "ok" or not (Path(outputs) / "ok").is_file():
            raise NoSandbox(
                f"{name} starts, but a trivial job ended '{outcome.status}': {outcome.log[-500:]}", _INSTALL
            )
    return sandbox
