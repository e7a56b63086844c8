"""Small data sets with boxes, and an engine that runs the phase `read_boxes` in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.agent.phases import read_boxes
from harness.inputs.assignment.limits import ResourceLimits
from harness.sandbox.engine import Job, Outcome
from harness.sandbox.software import Software
from harness.stages.cache import StageCache
from harness.stages.context import StageContext
from harness.stages.runner import StageRunner
from harness.stages.store import Store

Object = tuple[Any, ...]  # class, left, top, right, bottom as VOC counts pixels, and whether it is difficult
_OBJECT = (
    "<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>"
    "<ymax>{}</ymax></bndbox></object>"
)


class Silent:
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)


@dataclass
class InProcess:
    """An engine that runs the phase `read_boxes` here, on the folder that it would mount."""

    monkeypatch: pytest.MonkeyPatch
    folder: Path

    name = "test"
    environment_id = "test"
    not_enforced = ()

    def software_id(self, software: Software) -> str:
        return "test"

    def run(self, job: Job, outputs: Path) -> Outcome:
        assert job.phase == "read_boxes" and list(job.inputs) == ["dataset"]
        inside = self.folder / "in"
        inside.mkdir(exist_ok=True)
        (inside / "dataset").unlink(missing_ok=True)
        (inside / "dataset").symlink_to(job.inputs["dataset"].resolve(), target_is_directory=True)
        with self.monkeypatch.context() as patched:
            patched.setattr(read_boxes, "IN", inside)
            read_boxes.run({}, lambda name, of: _write(outputs / name, of))
        return Outcome("ok", 0, "", 1.0, 1.0, 1, False)


def _write(file: Path, of: Path | bytes) -> None:
    file.write_bytes(of if isinstance(of, bytes) else of.read_bytes())


def context(engine: Any, folder: Path) -> StageContext:
    return StageContext(engine, Store(folder / "store"), ResourceLimits())


def runner(engine: Any, folder: Path) -> StageRunner:
    place = context(engine, folder)
    return StageRunner(None, place, StageCache(place.store, "test"), Silent())  # type: ignore[arg-type]


def noise(file: Path, seed: int, size: tuple[int, int] = (120, 80), **options: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(file, **options)
    return file


def annotation(objects: Sequence[Object], size: tuple[int, int] = (120, 80)) -> str:
    inner = "".join(_OBJECT.format(name, int(bool(more)), *sides) for name, *sides, more in map(_whole, objects))
    return f"<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>{inner}</annotation>"


def _whole(one: Object) -> Object:
    return one if len(one) == 6 else (*one, False)


def voc(folder: Path, images: Sequence[Sequence[Object] | None], seed: int = 0, labels: str = "") -> Path:
    """A set as `camera-capture` writes it: for each image its objects, or None for one without an annotation."""
    (folder / "Annotations").mkdir(parents=True)
    for number, objects in enumerate(images):
        noise(folder / "JPEGImages" / f"{number:03}.jpg", seed + number)
        if objects is not None:
            (folder / "Annotations" / f"{number:03}.xml").write_text(annotation(objects))
    if labels:
        (folder / "labels.txt").write_text(labels)
    return folder
