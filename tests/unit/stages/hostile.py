"""An engine that sends whatever a test wants it to: what a submission that took over its sandbox could send."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness.inputs.assignment.limits import ResourceLimits
from harness.inputs.images import StagedImages
from harness.sandbox.engine import Job, Outcome
from harness.sandbox.software import Software
from harness.stages.context import StageContext
from harness.stages.evidence.conversion import Conversion, Preprocess
from harness.stages.evidence.predictions import Predictions
from harness.stages.evidence.record import Blob
from harness.stages.store import Store

Files = Mapping[str, bytes] | Callable[[Job], Mapping[str, bytes]]

LABELS = ("ball", "bottle", "mug")
NAMES = ("c0ffee.png", "0ddba11.png", "beef.png", "facade.png")


@dataclass
class Sends:
    """Answers every job with the same files, or with those that follow from it, and the same status."""

    files: Files
    status: Any = "ok"
    jobs: list[Job] = field(default_factory=list)

    name = "test"
    environment_id = "test"
    not_enforced = ()

    def software_id(self, software: Software) -> str:
        return "test"

    def run(self, job: Job, outputs: Path) -> Outcome:
        self.jobs.append(job)
        files = self.files if isinstance(self.files, Mapping) else self.files(job)
        for name, content in files.items():
            (outputs / name).write_bytes(content)
        return Outcome(self.status, 0, "", 1.0, 1.0, 1, False)


def order(job: Job, images: str = "images") -> list[int]:
    """Which image of the set each one is that went in, as only a test can know."""
    return [NAMES.index(file.name) for file in job.images[images]]


def context(folder: Path, files: Files, status: str = "ok") -> StageContext:
    return StageContext(Sends(files, status), Store(folder / "store"), ResourceLimits())


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def staged(folder: Path) -> StagedImages:
    for name in NAMES:
        (folder / name).write_text(name)
    return StagedImages(folder, NAMES, "0" * 64)


def conversion(store: Store, folder: Path, **changes: Any) -> Conversion:
    (folder / "model.onnx").write_bytes(b"model")
    values: dict[str, Any] = {
        "model": store.put(folder / "model.onnx", "model.onnx"),
        "native": False,
        "source_format": "onnx",
        "layout": "NCHW",
        "input_dtype": "float32",
        "dynamic_batch": True,
        "outputs": len(LABELS),
        "output_kind": "probabilities",
        "labels": LABELS,
        "preprocess": Preprocess(
            width=32, height=32, colour="RGB", scale=1, mean=(0, 0, 0), std=(1, 1, 1), resize="stretch"
        ),
        "max_abs_difference": 0.0,
        "images_compared": 8,
    }
    return Conversion(**(values | changes))


def predictions(store: Store, folder: Path, rows: Any) -> Predictions:
    (folder / "probabilities.npy").write_bytes(npy(rows))
    blob: Blob = store.put(folder / "probabilities.npy", "probabilities.npy")
    return Predictions(probabilities=blob, labels=LABELS, images=len(NAMES), seconds_per_image=0.1)
