"""A small data set, an audit of it by hand, and the stage that writes it anew, with any engine."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.agent.phases import rewrite as phase
from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.assignment.sections import OwnDataset
from harness.inputs.submission import Submission
from harness.sandbox.engine import Job, Outcome, Sandbox
from harness.stages.context import StageContext
from harness.stages.evidence.audit import DatasetAudit, WithheldImage
from harness.stages.evidence.record import Blob
from harness.stages.execute.rewrite import Rewritten, rewrite
from harness.stages.store import Store

_BLOB = Blob(name="x", sha256="0" * 64, bytes=1)
BOX = (
    "<annotation>{extra}<filename>{name}</filename><object><name>{label}</name><note>{extra}</note>"
    "<bndbox><xmin>20</xmin><ymin>10</ymin><xmax>60</xmax><ymax>50</ymax></bndbox></object></annotation>"
)


class AgentHere:
    """The agent's phase in this process: for what is honest. It protects from nothing."""

    name = "here"

    def run(self, job: Job, outputs: Path) -> Outcome:
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            inside = Path(folder) / "in"
            inside.mkdir()
            for name, place in job.inputs.items():
                (inside / name).symlink_to(place)
            patch.setattr(phase, "IN", inside)
            patch.setattr(phase, "WORK", Path(folder))

            def send(name: str, content: Path | bytes) -> None:
                (outputs / name).write_bytes(content if isinstance(content, bytes) else content.read_bytes())

            phase.run(json.loads(job.request), send)
        return Outcome("ok", 0, "", 0.1, None, None, False)


def photograph(size: tuple[int, int] = (96, 72), seed: int = 0) -> Image.Image:
    """Smooth shading and an object, as a lens projects it."""
    across, down = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    shade = 90 + 60 * across + 30 * np.sin(3 * down + seed)
    ball = 70 * np.exp(-((across - 0.5) ** 2 + (down - 0.4 - 0.02 * (seed % 5)) ** 2) * 30)
    pixels = np.stack([shade + ball, shade, shade - ball / 2], axis=-1)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def noise(size: tuple[int, int] = (96, 72), seed: int = 0) -> Image.Image:
    """What bytes look like when each is a pixel's channel."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def notebook(*code: str, **more: object) -> bytes:
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": c, "outputs": [], "execution_count": None}
        for n, c in enumerate(code)
    ]
    python = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": python | more, "cells": cells}).encode()


def handed_in(root: Path, images: Iterable[str], files: Mapping[str, bytes | str]) -> Path:
    """A submission with these images, photographs in the format that their names say, and these other files."""
    for seed, name in enumerate(images):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        photograph(seed=seed).save(root / name, quality=95)
    for name, content in {"notebook.ipynb": notebook("1"), **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def written(
    root: Path,
    labels: dict[str, str],
    withheld: Iterable[str],
    place: Path,
    *,
    dataset: str = "dataset",
    asked: OwnDataset | None = None,
    own_test: tuple[str, ...] = (),
    engine: Sandbox | None = None,
) -> Rewritten:
    """The submission at `root` anew in place/rerun and place/train. `labels`: image of the data set -> class."""
    gone = tuple(WithheldImage(picture=name, label=labels[name], file=_BLOB) for name in withheld)
    audit = DatasetAudit(
        classes=dict.fromkeys(sorted(set(labels.values())), 1),
        unreadable=(),
        labels=labels,
        withheld=gone,
        own_test=own_test,
    )
    for part in ("rerun", "train", "store"):
        (place / part).mkdir(parents=True, exist_ok=True)
    limits = ResourceLimits(wall_seconds=120, cell_seconds=60, memory=2 * 10**9)
    context = StageContext(engine or AgentHere(), Store(place / "store"), limits)
    submission = Submission("id", "s", root, Path("notebook.ipynb"), (), (), Path(dataset), "0" * 64, ())
    return rewrite(submission, audit, asked or OwnDataset(), place / "rerun", place / "train", context)


def there(place: Path) -> set[str]:
    """The files below place/rerun."""
    return {str(file.relative_to(place / "rerun")) for file in (place / "rerun").rglob("*") if file.is_file()}


def everything(place: Path) -> bytes:
    """Every byte that the rerun can read: contents, and names."""
    files = [file for part in ("rerun", "train") for file in sorted((place / part).rglob("*"))]
    return b"\n".join(str(file).encode() + (file.read_bytes() if file.is_file() else b"") for file in files)


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal to noise ratio in decibels."""
    error = float(np.mean((np.asarray(one, np.float64) - np.asarray(other.resize(one.size), np.float64)) ** 2))
    return 99.0 if error == 0 else 10 * math.log10(255**2 / error)
