"""Judges images one by one and together: blur, exposure, sizes, shop images, scenes."""

from __future__ import annotations

import numpy as np

from harness.stages.audit.images import ImageSet, unit

# Crete and others' measure on the real photographs of docs/dataset.md, 512 pixels wide: at most 0.47 as taken; at
# least 0.55 in half of them after a blur of 2 pixels, and in nearly all after 4.
_BLURRED = 0.55
_TOO_DARK = 0.12  # mean brightness; below, detail is lost in a phone's sensor noise
_CLIPPED = 0.35  # share of pixels at the end of the scale, besides a plain background
_OWN_SHARE = 0.8  # of the set that must name a camera before an image without one is suspicious


def blurred(images: ImageSet) -> list[int]:
    """The images without sharp detail."""
    return [i for i, one in enumerate(images.described) if one.blur >= _BLURRED]


def badly_exposed(images: ImageSet) -> list[int]:
    """The images that are too dark or overexposed; a cut-out's white background does not count."""
    return [
        i
        for i, one in enumerate(images.described)
        if one.brightness < _TOO_DARK or (one.bright_share > _CLIPPED and not one.plain_border)
    ]


def from_elsewhere(images: ImageSet) -> list[int]:
    """The images that look taken from a shop or a stock library, beside photographs of the student's own.

    Only if nearly all files name their camera: then those that name none and have a plain white border or name an
    owner. If messengers removed the metadata, no image is reported.
    """
    own = sum(one.camera for one in images.described)
    if not images.described or own < _OWN_SHARE * len(images):
        return []
    return [i for i, one in enumerate(images.described) if not one.camera and (one.plain_border or one.rights)]


def scene_spread(images: ImageSet) -> dict[str, float]:
    """Class -> mean cosine distance between its images' embeddings, 0 (all alike) to about 1.

    Empty without embeddings; classes with one image are left out.
    """
    if images.embeddings is None:
        return {}
    units = unit(images.embeddings)
    spread = {}
    for name in images.classes:
        rows = units[[i for i, label in enumerate(images.labels) if label == name]]
        n = len(rows)
        if n > 1:
            together = float(np.square(rows.sum(axis=0, dtype=np.float64)).sum())
            spread[name] = round(min(1.0, max(0.0, 1 - (together - n) / (n * (n - 1)))), 4)
    return spread
