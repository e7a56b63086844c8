"""The stage `detect_worse`: a detector's boxes for corrupted held-out images, and for images of other objects."""

from __future__ import annotations

from typing import Literal

from harness.stages.evidence.detections import Boxes
from harness.stages.evidence.record import Record


class WorseBoxes(Record):
    """Boxes for some held-out images in several versions, and for images that show none of the classes."""

    images: tuple[int, ...]  # indices in the held-out set
    seeds: tuple[int, ...]  # of each: from it follows to which side a version is turned
    versions: tuple[tuple[str, int], ...]  # corruption and severity
    corrupted: Boxes  # of place i in version v, 0 being the unchanged image: image v * len(images) + i
    unseen: Boxes
    unseen_images: int
    unseen_source: Literal["folder", "patterns"]
