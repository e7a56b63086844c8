"""The boundary as types: a sandbox's inputs and outputs, and what every engine guarantees.

Paths inside, for every engine:

    /in/<name>     the job's inputs, read-only; never images that are held out
    /opt/harness   the agent and the notebook's `harness.handin`, read-only
    /work          the working directory, empty at the start, writable
    /tmp           private, writable

The agent's phase reads its request (JSON) from stdin, then the job's images, which are never in a file system inside
(see `harness/sandbox/feed.py`). It sends its results over stdout as frames (see `harness/sandbox/frames.py`); stderr is
the log. Nothing else comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from harness.sandbox.software import TORCH, Software


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. All limits are hard: the process tree is killed, or the write fails."""

    wall_seconds: float
    memory_bytes: int
    cpus: int
    processes: int  # processes and threads together
    disk_bytes: int  # written to /work and /tmp, each
    output_bytes: int  # sent out, all files together
    cores: tuple[int, ...] = ()  # for timing: pinned to these; a CFS quota of `cpus` would throttle


@dataclass(frozen=True, slots=True)
class Job:
    """One phase of the agent, run once in a fresh sandbox."""

    phase: str
    request: bytes  # JSON for the phase, given on stdin
    inputs: Mapping[str, Path]  # name under /in -> file or folder of the host
    limits: Limits
    software: Software = TORCH  # what is installed inside
    # List -> the host's files, in the order in which they are sent on stdin. Stages get them from
    # `harness.inputs.images.secret_order`, which draws the order.
    images: Mapping[str, Sequence[Path]] = field(default_factory=dict)


OutcomeStatus = Literal["ok", "failed", "timeout", "memory", "killed", "output"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended.

    `ok`: exit status 0 and a complete stream of results. `failed`: another exit status, or an
    incomplete stream. `timeout`: the wall time ran out. `memory`: the memory limit killed the phase
    itself. `killed`: a signal from inside. `output`: it sent more than `output_bytes`, or broke the
    frame format. The files that arrived whole are in the outputs folder in every case.
    """

    status: OutcomeStatus
    exit_code: int | None
    log: str  # stderr, decoded with replacement, the middle cut out above 64 KiB
    seconds: float
    cpu_seconds: float | None
    peak_memory_bytes: int | None
    memory_limit_hit: bool  # the kernel killed a process of the tree, perhaps not the phase itself
    cores_left: float | None = None  # cores that other work left on average; None when not known


class Sandbox(Protocol):
    """An engine, ready to run jobs."""

    @property
    def name(self) -> str:
        """The engine's name as `--sandbox` takes it."""

    @property
    def environment_id(self) -> str:
        """The identity of engine and installed software (`TORCH`), a part of every cache key."""

    def software_id(self, software: Software) -> str | None:
        """The identity of engine and this software as built here; None when it is not built."""

    @property
    def not_enforced(self) -> tuple[str, ...]:
        """Limits that this engine does not enforce on this machine, one sentence each."""

    def run(self, job: Job, outputs: Path) -> Outcome:
        """Run the job to its end and write what it sent to the folder `outputs`, which exists.

        When it returns or raises (KeyboardInterrupt included), no process of the job is left. Thread-safe. Raises
        `harness.errors.EngineFailed` when the engine, not the job, broke or lacks the job's software, and `RunStopped`
        after `stop`.
        """

    def stop(self) -> None:
        """End all running jobs, permanently, from any thread; each `run` raises `harness.errors.RunStopped`."""
