"""A place to run stages in whose engine keeps what it is asked, and sends nothing back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostile import Sends, conversion

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import StagedImages
from harness.inputs.submission import Submission
from harness.sandbox.engine import Job, Limits
from harness.stages.context import StageContext
from harness.stages.store import Store

# No two alike, so that none passes for another.
LIMITS = ResourceLimits(
    wall_seconds=1000,
    cell_seconds=70,
    idle_seconds=44,
    memory=3 * 10**9,
    cpus=3,
    processes=333,
    disk=44 * 10**6,
    output=55 * 10**6,
)
JOB = Limits(
    wall_seconds=1000,
    memory_bytes=3 * 10**9,
    cpus=3,
    processes=333,
    disk_bytes=44 * 10**6,
    output_bytes=55 * 10**6,
    cores=(),
)


@dataclass
class Place:
    """A folder with a submission, 70 images, and an engine that keeps what it is asked and sends nothing."""

    folder: Path
    engine: Sends
    context: StageContext
    staged: StagedImages
    submission: Submission

    @property
    def job(self) -> Job:
        [job] = self.engine.jobs
        return job

    @property
    def request(self) -> Any:
        return json.loads(self.job.request)

    def file(self, name: str) -> Path:
        (self.folder / name).write_text(name)
        return self.folder / name


def place_in(folder: Path) -> Place:
    engine = Sends({})
    names = tuple(f"{number}.png" for number in range(70))
    for name in names:
        (folder / name).write_text(name)
    root = folder / "handed-in"
    (root / "dataset").mkdir(parents=True)
    (root / "work.ipynb").write_text("{}")
    (root / "classes.txt").write_text("a")
    submission = Submission(
        id="anna", student="Anna", root=root, notebook=Path("work.ipynb"), models=(), files=(),
        dataset=Path("dataset"), sha256="0" * 64, findings=(),
    )  # fmt: skip
    store = Store(folder / "store")
    return Place(folder, engine, StageContext(engine, store, LIMITS), StagedImages(folder, names, "5eed"), submission)


def model_of(place: Place, **changes: Any) -> Any:
    return conversion(place.context.store, place.folder, **changes)


def kept(place: Place, model: Any) -> dict[str, Path]:
    """The input of a stage that runs the model."""
    return {"model": place.context.store.path(model.model)}


def but_seconds(limits: Limits) -> tuple[Any, ...]:
    """All limits after the first, which is the seconds."""
    return (limits.memory_bytes, limits.cpus, limits.processes, limits.disk_bytes, limits.output_bytes, limits.cores)
