"""Writes a detector that is no ONNX file as one, and says how far that one's boxes are from the original's."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..models.loaded_model import Unusable
from .detector import Anchors, Detections, Detector, Found

_OPSET = 18
_HEIGHT, _WIDTH = 720, 1280  # pixels of a Jetson's camera; the graph takes any size
_KEPT = 0.9  # of the sure detections
_SURE = 0.05  # a box that is less sure may be suppressed, or fall below the least score, by rounding


def write(detector: Detector, out: Path) -> None:
    """Write a detector that torch runs as ONNX. Raises `Unusable` for any other, and what the exporter raises."""
    from .families.ssd_checkpoint import SsdCheckpoint
    from .families.torch_module import TorchModule

    if isinstance(detector, SsdCheckpoint):
        from ..ssd.export import export

        export(detector.network, out)
    elif isinstance(detector, TorchModule):
        _write_torchvisions(detector.module, out)
    else:
        raise Unusable(f"a detector of the family {detector.description.family} does not become ONNX")


def _write_torchvisions(module: Any, out: Path) -> None:
    """A module that takes a list of images, for one image (3, height, width) of any size."""
    import torch

    torch.manual_seed(0)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the exporter is deprecated, but torch is pinned
        torch.onnx.export(
            module.eval(),
            ([torch.rand(3, _HEIGHT, _WIDTH)],),
            str(out),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["image"],
            dynamic_axes={"image": {1: "height", 2: "width"}},
        )


def largest_difference(one: Sequence[Found], other: Sequence[Found]) -> float:
    """The largest difference of a score or a corner between answers to the same images, at most 1.

    Anchors are compared one by one, detections that are sure with the nearest of their class; 1 where there is none.
    Of detections the farthest tenth is left out: which of boxes with equal scores is suppressed depends on rounding.
    """
    return max((_difference(mine, theirs) for mine, theirs in zip(one, other, strict=True)), default=0.0)


def _difference(one: Found, other: Found) -> float:
    if isinstance(one, Anchors) and isinstance(other, Anchors):
        if one.boxes.shape != other.boxes.shape or one.scores.shape != other.scores.shape or one.first != other.first:
            return 1.0
        pairs = ((one.boxes, other.boxes), (one.scores, other.scores))
        return _bounded(max(float(np.abs(a - b).max(initial=0.0)) for a, b in pairs))
    if isinstance(one, Detections) and isinstance(other, Detections):
        return max(_without_partner(one, other), _without_partner(other, one))
    return 1.0


def _without_partner(mine: Detections, others: Detections) -> float:
    rows, there = (np.column_stack([found.boxes, found.scores]).astype(np.float64) for found in (mine, others))
    sure = np.flatnonzero(mine.scores >= _SURE)
    if not len(sure):
        return 0.0
    far = [np.abs(there[others.labels == mine.labels[row]] - rows[row]).max(axis=1).min(initial=1.0) for row in sure]
    return _bounded(float(np.quantile(far, _KEPT, method="higher")))


def _bounded(difference: float) -> float:
    return min(1.0, difference) if np.isfinite(difference) else 1.0
