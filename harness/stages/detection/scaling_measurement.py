"""Measures with which scaling of its pixels a detector finds known objects. Pure.

A way is judged by the objects that it finds at its own best score, as undeclared pre-processing of a classifier is by
the images that it has right (`undeclared.py`). Objects of one scene are no independent trials, so what is surely better
also has an interval over scenes above zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.stages.detection.scalings import SWAPPED
from harness.stages.evaluate.comparison import compare
from harness.stages.evaluate.detection.boxes import Detections, LabelledImages
from harness.stages.evaluate.detection.cleaning import clean
from harness.stages.evaluate.detection.coco import coco_figures, matches
from harness.stages.evaluate.detection.curves import best_f1, found_objects
from harness.stages.evaluate.scenes import Scenes
from harness.stages.evidence.record import Interval
from harness.stages.undeclared import Candidate, judged

OWN = "own"
_NO_BEST = 1.0  # the score from which on boxes count where there are none


@dataclass(frozen=True, slots=True)
class Way:
    """How well objects are found with one scaling."""

    name: str
    found: float  # share of the objects, at the score with the best F1
    ap50: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Which scaling fits. `best` is `own` unless another finds more; `taken`: that one surely does."""

    own: Way
    best: Way
    gain: Interval  # of the share found
    verdict: Literal["kept", "taken", "unclear"]
    objects: int


def ap50(detections: Detections, images: LabelledImages) -> float:
    """AP50, 0.0 where no object counts."""
    return coco_figures(_clean(detections, images), images).overall.ap50 or 0.0


def measured(found: Mapping[str, Detections], images: LabelledImages) -> Fit | None:
    """Which way fits best. `found`: way -> boxes with the course's classes as labels; the first is the detector's own.

    None where no object counts. Raises `ValueError` without a way.
    """
    if not found:
        raise ValueError("nothing to measure")
    counted = images.counted()
    if not counted.any():
        return None
    scenes = Scenes(images.grouped().of[images.objects.image[counted]])
    first = next(iter(found))
    candidates = [_candidate(way, boxes, images, way == first) for way, boxes in found.items()]
    decision = judged(candidates, np.arange(int(counted.sum())))
    best = decision.chosen if decision.verdict == "taken" else decision.best
    gain = compare(best.right, decision.assumed.right, scenes).interval
    better = best.loss < decision.assumed.loss
    verdict = decision.verdict
    if verdict == "taken" and not (gain[0] > 0 and better):
        verdict = "unclear" if better else "kept"
    return Fit(_way(decision.assumed), _way(best), gain, verdict, int(counted.sum()))


def highest_ap50(found: Sequence[Detections], images: LabelledImages) -> float:
    """The highest AP50 of all, 0.0 without any."""
    return max((ap50(boxes, images) for boxes in found), default=0.0)


def _candidate(way: str, boxes: Detections, images: LabelledImages, own: bool) -> Candidate:
    """`right`: of each object whether it is found. `loss`: how far AP50 is from 1."""
    kept = _clean(boxes, images)
    matched = matches(kept, images)
    best = best_f1(matched, images)
    right = found_objects(matched, images, best.threshold if best else _NO_BEST)[images.counted()]
    departures = 0 if own else 2 if way.endswith(SWAPPED) else 1
    return Candidate(way, None, right, 1 - (coco_figures(kept, images).overall.ap50 or 0.0), departures)


def _way(candidate: Candidate) -> Way:
    return Way(candidate.way, candidate.accuracy, 1 - candidate.loss)


def _clean(detections: Detections, images: LabelledImages) -> Detections:
    return clean(detections, len(images.sizes), len(images.classes))[0]
