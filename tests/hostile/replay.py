"""A sandbox that remembers: a real engine runs a job once; later the same job ends at once, in the same way.

A job is the same only where its images go in in the same order: `InOrder` takes the place of the secret one.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.sandbox import Job, Outcome, Sandbox, Software


class InOrder:
    """In place of `harness.inputs.images.secret_order`'s randomness: what is drawn is always the same."""

    def shuffle(self, items: list[Any]) -> None:
        """Leave them as they are."""

    def sample(self, population: Sequence[Any], k: int) -> list[Any]:
        return list(population)[:k]


class Replay:
    """Keeps outcome and outputs of each job by its phase, its request and the content of its inputs."""

    def __init__(self, engine: Sandbox, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._outcomes: dict[str, Outcome] = {}
        self._known: dict[tuple[str, int], str] = {}
        self._software: dict[str, str | None] = {}
        self.real_runs = 0
        self.name, self.environment_id = engine.name, engine.environment_id
        self.not_enforced = engine.not_enforced

    def software_id(self, software: Software) -> str | None:
        if software.name not in self._software:  # to look through what is installed takes longer than a whole replay
            self._software[software.name] = self._engine.software_id(software)
        return self._software[software.name]

    def stop(self) -> None:
        self._engine.stop()

    def run(self, job: Job, outputs: Path) -> Outcome:
        key = self._key(job)
        kept = self._folder / key
        if key not in self._outcomes:
            self.real_runs += 1
            self._outcomes[key] = self._engine.run(job, outputs)
            shutil.copytree(outputs, kept)
        else:
            shutil.copytree(kept, outputs, dirs_exist_ok=True)
        return self._outcomes[key]

    def _key(self, job: Job) -> str:
        digest = hashlib.sha256(f"{job.phase} {job.software.name}".encode() + job.request)
        for name, place in sorted(job.inputs.items()):
            files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
            for file in files:
                inside = file.relative_to(place) if file != place else ""
                digest.update(f"{name} {inside} {self._content(file)}\n".encode())
        for name, files in sorted(job.images.items()):
            digest.update(f"{name} {[self._content(file) for file in files]}\n".encode())
        return digest.hexdigest()

    def _content(self, file: Path) -> str:
        at = (str(file), file.stat().st_mtime_ns)
        if at not in self._known:
            self._known[at] = hashlib.sha256(file.read_bytes()).hexdigest()
        return self._known[at]
