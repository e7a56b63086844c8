"""The stage `detect_worse`: a detector's boxes for corrupted held-out images, other objects and backgrounds."""

from __future__ import annotations

from typing import Literal

from harness.stages.evidence.detections import Boxes
from harness.stages.evidence.record import Record
from harness.stages.evidence.swapped_backgrounds import BackgroundSource


class BackgroundBoxes(Record):
    """Boxes for images whose objects were put before their own background, and before others."""

    images: tuple[int, ...]  # indices in the held-out set
    own: Boxes  # of each of `images`, by its place there
    other: Boxes
    source: BackgroundSource


class WorseBoxes(Record):
    """Boxes for some held-out images in several versions, and for images that show none of the classes."""

    images: tuple[int, ...]  # indices in the held-out set
    seeds: tuple[int, ...]  # of each: from it follows to which side a version is turned
    versions: tuple[tuple[str, int], ...]  # corruption and severity
    corrupted: Boxes  # of place i in version v, 0 being the unchanged image: image v * len(images) + i
    unseen: Boxes
    unseen_images: int
    unseen_source: Literal["folder", "patterns"]
    backgrounds: BackgroundBoxes | None = None  # None where none were made, or the detector did not answer
