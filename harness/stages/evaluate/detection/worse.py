"""AP50 on images made worse, and what can be said of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.findings import sentence
from harness.stages.evaluate.detection.boxes import Detections, LabelledImages, subset
from harness.stages.evaluate.detection.cleaning import clean
from harness.stages.evaluate.detection.coco import coco_figures
from harness.stages.evaluate.detection.moved import moved
from harness.stages.evidence.detection_scores import CorruptedScores

_CLEARLY = 0.1  # of AP50 lost: below, nothing is said


def corrupted_scores(
    detections: Detections,
    images: LabelledImages,
    chosen: Sequence[int],
    versions: Sequence[tuple[str, int]],
    seeds: Sequence[int],
) -> CorruptedScores:
    """AP50 of each version, with the objects where they are then; left out is one that shows no object.

    `detections`: place i of `chosen` in version v is the image v * len(chosen) + i; version 0 is unchanged. `seeds`:
    one for each of `chosen`.
    """
    some = subset(images, chosen)
    worse: dict[str, dict[int, float]] = {}
    for number, (corruption, severity) in enumerate(versions, start=1):
        truth = moved(some.objects, some.sizes, corruption, severity, seeds)
        found = _ap50(detections, number, LabelledImages(some.sizes, truth, some.classes, some.scenes))
        if found is not None:
            worse.setdefault(corruption, {})[severity] = found
    return CorruptedScores(images=len(chosen), clean=_ap50(detections, 0, some), worse=worse)


def on_corruptions(found: CorruptedScores) -> str | None:
    """Which corruption costs most; None where none costs much."""
    scores = [(ap50, name, severity) for name, by in found.worse.items() for severity, ap50 in by.items()]
    if found.clean is None or not scores:
        return None
    ap50, name, severity = min(scores)
    if found.clean - ap50 < _CLEARLY:
        return None
    return sentence("costs-most", corruption=name, severity=severity, clean=found.clean, ap50=ap50, images=found.images)


def _ap50(detections: Detections, version: int, images: LabelledImages) -> float | None:
    count = len(images.sizes)
    mine = detections.at(detections.image // count == version)
    here = Detections(mine.image % np.int32(count), mine.box, mine.score, mine.label)
    return coco_figures(clean(here, count, len(images.classes))[0], images).overall.ap50
