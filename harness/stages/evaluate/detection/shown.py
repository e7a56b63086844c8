"""Which images a page draws, and what stands on them: the worst first, then some that are wholly right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.detection.boxes import Detections, Indices, LabelledImages
from harness.stages.evaluate.detection.coco import Matches
from harness.stages.evaluate.detection.curves import found_objects
from harness.stages.evidence.detection_scores import ShownBox, ShownImage

MOST = 12  # images
_RIGHT = 3  # of them without any mistake, where there are
_MOST_ON_ONE = 60  # boxes; what was found and missed comes first


def shown_images(
    detections: Detections, found: Matches, images: LabelledImages, threshold: float
) -> tuple[ShownImage, ...]:
    """The images with the most mistakes at this score and IoU 0.5, then wholly right ones with the most objects."""
    objects, counted = images.objects, images.counted()
    missed = counted & ~found_objects(found, images, threshold)
    said = (found.score >= np.float32(threshold)) & ~found.ignored[0]
    alarms = said & (found.truth[0] < 0)
    mistakes = _per_image(objects.image[missed], images) + _per_image(found.image[alarms], images)
    seen = _per_image(objects.image[counted], images)
    right = [int(i) for i in np.argsort(-seen, kind="stable") if not mistakes[i] and seen[i]][:_RIGHT]
    wrong = [int(i) for i in np.argsort(-mistakes, kind="stable") if mistakes[i]][: MOST - len(right)]
    hits = np.flatnonzero(said & ~alarms)
    return tuple(
        _image(one, np.flatnonzero(missed), hits, np.flatnonzero(alarms), detections, found, images)
        for one in (*wrong, *right)
    )


def _image(
    image: int,
    missed: Indices,
    hits: Indices,
    alarms: Indices,
    detections: Detections,
    found: Matches,
    images: LabelledImages,
) -> ShownImage:
    """`missed`: rows of objects. `hits`, `alarms`: rows of `found`."""
    objects, classes = images.objects, images.classes

    def drawn(row: int, truth: int | None) -> ShownBox:
        return ShownBox(
            kind="false-alarm" if truth is None else "found",
            box=_corners(detections.box[found.detection[row]]),
            name=classes[found.label[row]],
            score=min(1.0, max(0.0, float(found.score[row]))),
            truth=None if truth is None else _corners(objects.box[truth]),
        )

    boxes = [
        ShownBox(kind="missed", box=_corners(objects.box[row]), name=classes[objects.label[row]], score=None)
        for row in missed[objects.image[missed] == image]
    ]
    boxes += [drawn(row, int(found.truth[0, row])) for row in _surest(hits[found.image[hits] == image], found)]
    boxes += [drawn(row, None) for row in _surest(alarms[found.image[alarms] == image], found)]
    return ShownImage(image=image, boxes=tuple(boxes[:_MOST_ON_ONE]), left_out=max(0, len(boxes) - _MOST_ON_ONE))


def _surest(rows: Indices, found: Matches) -> Sequence[int]:
    order: Sequence[int] = rows[np.argsort(-found.score[rows], kind="stable")].tolist()
    return order


def _per_image(image: NDArray[np.int32], images: LabelledImages) -> Indices:
    return np.bincount(image, minlength=len(images.sizes))


def _corners(box: NDArray[np.float32]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(float(side), 5) for side in box)
    return left, top, right, bottom
