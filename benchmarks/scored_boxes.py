"""AP50 of a detector's boxes on annotated examples, by the room that scores students' detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.agent.detectors.detector import Detections as Found
from harness.agent.ssd.views import Example
from harness.stages.evaluate.detection import (
    Detections,
    LabelledImages,
    ObjectTruth,
    ap_intervals,
    clean,
    coco_figures,
    matches,
)
from harness.stages.evidence.record import Interval


@dataclass(frozen=True)
class Scored:
    """AP50 and its 95 % interval, over all classes and of each; None where no object counts."""

    images: int
    objects: int
    ap50: float | None
    interval: Interval | None
    per_class: tuple[float | None, ...]


def scored(answers: Sequence[Found], examples: Sequence[Example], classes: Sequence[str]) -> Scored:
    """`answers`: of each example. The labels of both count from 1, after the background."""
    truth = ObjectTruth(
        _image_of([len(one.labels) for one in examples]),
        np.concatenate([one.boxes for one in examples]).astype(np.float32),
        np.concatenate([one.labels for one in examples]).astype(np.int32) - np.int32(1),
        np.zeros(sum(len(one.labels) for one in examples), np.bool_),
    )
    said = Detections(
        _image_of([len(one) for one in answers]),
        np.concatenate([one.boxes for one in answers]).astype(np.float32),
        np.concatenate([one.scores for one in answers]).astype(np.float32),
        np.concatenate([one.labels for one in answers]).astype(np.int32) - np.int32(1),
    )
    images = LabelledImages(np.array([one.image.size for one in examples], np.int32), truth, tuple(classes))
    kept, _ = clean(said, len(examples), len(classes))
    figures = coco_figures(kept, images)
    interval = ap_intervals(figures, matches(kept, images), images).ap50
    each = tuple(scores.ap50 for scores in figures.per_class)
    return Scored(len(examples), len(truth), figures.overall.ap50, interval, each)


def _image_of(counts: Sequence[int]) -> np.ndarray:
    return np.repeat(np.arange(len(counts), dtype=np.int32), counts)
