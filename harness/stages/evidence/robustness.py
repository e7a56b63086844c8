"""The stage `stress`: answers to worse images and to images of no class, and where a model looks."""

from __future__ import annotations

from typing import Literal

from harness.stages.evidence.record import Blob, Record, Share


class Look(Record):
    """How much each part of an image counts for what the model says to it (occlusion sensitivity).

    `drops`: for each cell of a square grid over `seen_part`, the mean fall of the label's probability when
    a window over it is grey. `seen_part`: left, top, right, bottom of what the model sees, in shares.
    """

    image: int  # index in the held-out set
    label: str
    confidence: Share
    least: Share  # the lowest probability of the label with a window covered
    seen_part: tuple[Share, Share, Share, Share]
    drops: tuple[tuple[float, ...], ...]


class RobustnessAnswers(Record):
    """Answers to worse images, to images of no class, and with parts covered."""

    images: tuple[int, ...]  # indices in the held-out set, of those that were made worse
    versions: tuple[tuple[str, int], ...]  # corruption and severity
    corrupted: Blob  # .npy float32, shape (1 + versions, images, labels); first the images as they are
    unseen: Blob  # .npy float32, shape (images, labels)
    unseen_source: Literal["folder", "patterns"]
    labels: tuple[str, ...]
    looks: tuple[Look, ...]
