"""A detector's answers, as the stage `detect` gives them."""

from __future__ import annotations

from typing import Any

from harness.stages.evidence.detections import Boxes, BoxFaults, DetectorAnswers, DetectorDescription, Suppression
from harness.stages.evidence.record import Blob

_NOTHING = Blob(name="nothing.npy", sha256="0" * 64, bytes=0)
NO_BOXES = Boxes(count=0, boxes=_NOTHING, scores=_NOTHING, labels=_NOTHING, images=_NOTHING)


def detector_answers(model: Blob | None, family: str = "ssd_onnx", **described: Any) -> DetectorAnswers:
    """Those of an SSD of 300 x 300 for three classes that found nothing."""
    usual: dict[str, Any] = {
        "width": 300, "height": 300, "fit": "stretch", "colour": "RGB", "scale": 1.0, "mean": (127.0,) * 3,
        "std": (128.0,) * 3, "suppressed_inside": False, "background_first": True, "labels": 4, "names": (),
        "scores": "softmax-inside", "boxes": "corners", "graph_agrees": True,
    }  # fmt: skip
    return DetectorAnswers(
        model=model,
        description=DetectorDescription(**{"family": family, **usual, **described}),
        environment="torch",
        suppression=Suppression(score=0.01, overlap=0.45, candidates=200),
        every=NO_BOXES,
        board=NO_BOXES,
        images=0,
        seconds_per_image=0.0,
        faults=BoxFaults(),
        asked_twice=0,
        largest_difference=0.0,
        depends_on_order=False,
    )
