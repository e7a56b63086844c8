"""The stage `unboxed`: where the reference detector sees an object on a student's image, and no box is there."""

from __future__ import annotations

from harness.stages.evidence.record import Record, Share


class UnboxedBox(Record):
    """A sure box of the reference that lies apart from all that was drawn."""

    image: int  # position among the images that were looked at
    label: str  # the data set's name of the class
    score: Share
    box: tuple[Share, Share, Share, Share]  # left, top, right, bottom, as shares of the upright image's sides


class UnboxedObjects(Record):
    """The boxes, the surest first, and how many images were looked at."""

    images: int
    boxes: tuple[UnboxedBox, ...]
