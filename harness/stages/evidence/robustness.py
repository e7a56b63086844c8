"""The stage `stress`: answers to corrupted images and to images of no class, and occlusion maps."""

from __future__ import annotations

from typing import Literal

from harness.stages.evidence.record import Blob, Record, Share


class OcclusionMap(Record):
    """How much each part of an image matters for the model's answer (occlusion sensitivity).

    `drops`: for each cell of a square grid over `seen_part`, the mean drop of the label's probability when a window
    over it is grey. `seen_part`: left, top, right, bottom of the part that the model sees, as shares of the sides.
    """

    image: int  # index in the held-out set
    label: str
    confidence: Share
    least: Share  # the lowest probability of the label with a window covered
    seen_part: tuple[Share, Share, Share, Share]
    drops: tuple[tuple[float, ...], ...]


class RobustnessAnswers(Record):
    """Answers to corrupted images, to images of no class, and with parts covered."""

    images: tuple[int, ...]  # indices in the held-out set of the corrupted images
    versions: tuple[tuple[str, int], ...]  # corruption and severity
    corrupted: Blob  # .npy float32, shape (1 + versions, images, labels); version 0 is the unchanged image
    unseen: Blob  # .npy float32, shape (images, labels)
    unseen_source: Literal["folder", "patterns"]
    labels: tuple[str, ...]
    occlusion_maps: tuple[OcclusionMap, ...]
