"""The stage `swap_backgrounds`: held-out images with their objects before their own and before other backgrounds."""

from __future__ import annotations

from typing import Literal

from harness.stages.evidence.record import Blob, Record

# The course's images of other objects, parts of other held-out images that show no object, or drawn patterns.
BackgroundSource = Literal["folder", "parts", "patterns"]


class SwappedBackgrounds(Record):
    """PNG files, shrunk to a shorter side of at most 256 pixels; objects lie where they did."""

    images: tuple[int, ...]  # indices in the held-out set
    own: tuple[Blob, ...]  # one for each of `images`: before its own background, blurred
    other: tuple[Blob, ...]  # before another, blurred as much
    source: BackgroundSource
