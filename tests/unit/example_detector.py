"""A detector's boxes of two images with three objects, as the stages keep them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from harness.inputs.images import HeldOutSet
from harness.inputs.images.objects import ImageObjects, LabelledBox
from harness.stages.evidence.detections import (
    Boxes,
    BoxFaults,
    DetectorAnswers,
    DetectorDescription,
    LabelMeaning,
    Suppression,
)
from harness.stages.evidence.record import Blob
from harness.stages.store import Store

DESCRIPTION = DetectorDescription(
    family="ssd_onnx", width=300, height=300, fit="stretch", colour="RGB", scale=1.0, mean=(127, 127, 127),
    std=(128, 128, 128), suppressed_inside=False, background_first=True, labels=3, names=(), scores="softmax-inside",
    boxes="corners", graph_agrees=True,
)  # fmt: skip
CORNERS = ((0.1, 0.1, 0.4, 0.4), (0.5, 0.5, 0.9, 0.9), (0.2, 0.2, 0.6, 0.6))
HELD_OUT = HeldOutSet(
    ("cup", "duck"),
    (Path("0.jpg"), Path("1.jpg")),
    (),
    "f" * 64,
    objects=(
        ImageObjects(640, 480, (LabelledBox(0, *CORNERS[0]), LabelledBox(1, *CORNERS[1]))),
        ImageObjects(640, 480, (LabelledBox(1, *CORNERS[2]), LabelledBox(0, 0.7, 0.7, 0.9, 0.9, ignored=True))),
    ),
)


MEANING = LabelMeaning(as_named=(-1, 0, 1), taken=(-1, 0, 1))


def detector_answers(boxes: Boxes, board: Boxes | None = None, **changes: Any) -> DetectorAnswers:
    values: dict[str, Any] = {
        "description": DESCRIPTION, "meaning": MEANING, "environment": "torch",
        "suppression": Suppression(score=0.01, overlap=0.45, candidates=200), "every": boxes, "board": board or boxes,
        "images": 2, "seconds_per_image": 0.1, "faults": BoxFaults(), "asked_twice": 2, "largest_difference": 0.0,
        "depends_on_order": False,
    }  # fmt: skip
    return DetectorAnswers(**values | changes)


def in_store(store: Store, folder: Path, labels: list[int], moved: float = 0.0) -> Boxes:
    """A box for each of the three objects, with these labels; right, or moved to the right by a share of the image."""

    def blob(name: str, values: np.ndarray) -> Blob:
        np.save(folder / name, values)
        return store.put(folder / name, name)

    shift = np.array([moved, 0, moved, 0], np.float32)
    return Boxes(
        count=len(labels),
        boxes=blob("boxes.npy", np.array(CORNERS, np.float32) + shift),
        scores=blob("scores.npy", np.array([0.9, 0.8, 0.7], np.float32)),
        labels=blob("labels.npy", np.array(labels, np.int32)),
        images=blob("images.npy", np.array([0, 0, 1], np.int32)),
    )


def kept_nowhere(blob: Blob) -> Boxes:
    """Boxes whose arrays nobody opens."""
    return Boxes(count=0, boxes=blob, scores=blob, labels=blob, images=blob)
