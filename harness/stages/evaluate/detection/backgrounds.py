"""Whether a detector depends on the background: objects found before their own one and before others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.findings import sentence
from harness.stages.evaluate.comparison import compare
from harness.stages.evaluate.detection.boxes import Detections, Flags, LabelledImages, subset
from harness.stages.evaluate.detection.cleaning import clean
from harness.stages.evaluate.detection.coco import matches
from harness.stages.evaluate.detection.curves import found_objects
from harness.stages.evaluate.scenes import Scenes
from harness.stages.evidence.record import Interval


@dataclass(frozen=True, slots=True)
class Backgrounds:
    """How many of the same objects are found, at an IoU of 0.5 and this score, before which background."""

    threshold: float
    images: int
    objects: int
    own: int  # found before their own background, blurred
    other: int  # found before another, blurred as much
    difference: float  # share before others less that before their own
    interval: Interval  # of it, 95 %: Tango's, over scenes


def backgrounds(
    own: Detections, other: Detections, images: LabelledImages, chosen: Sequence[int], threshold: float
) -> Backgrounds | None:
    """`own`, `other`: boxes for the two versions of each of `chosen`, by its place there; None without objects."""
    some = subset(images, chosen)
    counted = some.counted()
    if not counted.any():
        return None
    before_own, before_other = (_found(one, some, threshold)[counted] for one in (own, other))
    scenes = Scenes(some.grouped().of[some.objects.image[counted]])
    apart = compare(before_other, before_own, scenes)
    return Backgrounds(
        threshold=threshold,
        images=len(chosen),
        objects=int(counted.sum()),
        own=int(before_own.sum()),
        other=int(before_other.sum()),
        difference=apart.value,
        interval=apart.interval,
    )


def on_backgrounds(found: Backgrounds | None) -> str | None:
    """That it depends on the background, or that these images do not show it."""
    if found is None:
        return None
    code = "depends-on-background" if found.interval[1] < 0 else "background-not-shown"
    return sentence(
        code,
        images=found.images,
        objects=found.objects,
        own=found.own / found.objects,
        other=found.other / found.objects,
    )


def _found(detections: Detections, images: LabelledImages, threshold: float) -> Flags:
    kept = clean(detections, len(images.sizes), len(images.classes))[0]
    return found_objects(matches(kept, images), images, threshold).astype(np.bool_)
