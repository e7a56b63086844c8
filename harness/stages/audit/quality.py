"""What a look at each picture, and at all of them together, says: blur, exposure, sizes, shop pictures, scenes."""

from __future__ import annotations

import numpy as np

from harness.stages.audit.pictures import PictureSet, unit

# Crete and others' measure on the real photographs of docs/dataset.md, 512 pixels wide: at most 0.47 as taken; at
# least 0.55 in half of them after a blur of 2 pixels, and in nearly all after 4.
_BLURRED = 0.55
_TOO_DARK = 0.12  # mean brightness: detail is lost in the noise of a phone's sensor
_CLIPPED = 0.35  # share of pixels at the end of the scale, beside a plain background's
_OWN_SHARE = 0.8  # of the set that names its camera, before a picture without one stands out


def blurred(pictures: PictureSet) -> list[int]:
    """The pictures without sharp detail."""
    return [i for i, one in enumerate(pictures.described) if one.blur >= _BLURRED]


def badly_exposed(pictures: PictureSet) -> list[int]:
    """The pictures that are too dark, or burnt out; a cut-out's white background is no fault of exposure."""
    return [
        i
        for i, one in enumerate(pictures.described)
        if one.brightness < _TOO_DARK or (one.bright_share > _CLIPPED and not one.plain_border)
    ]


def from_elsewhere(pictures: PictureSet) -> list[int]:
    """The pictures that look taken from a shop or a stock library, beside photographs of the student's own.

    Only where nearly all files name the camera that took them: one that names none, and has a plain white
    border or names an owner. Where messengers stripped the files of all this, nothing is said.
    """
    own = sum(one.camera for one in pictures.described)
    if not pictures.described or own < _OWN_SHARE * len(pictures):
        return []
    return [i for i, one in enumerate(pictures.described) if not one.camera and (one.plain_border or one.rights)]


def scene_spread(pictures: PictureSet) -> dict[str, float]:
    """Class -> mean cosine distance between its pictures' embeddings, 0 (all alike) to about 1.

    Empty without embeddings; classes with one picture are left out.
    """
    if pictures.embeddings is None:
        return {}
    units = unit(pictures.embeddings)
    spread = {}
    for name in pictures.classes:
        rows = units[[i for i, label in enumerate(pictures.labels) if label == name]]
        n = len(rows)
        if n > 1:
            together = float(np.square(rows.sum(axis=0, dtype=np.float64)).sum())
            spread[name] = round(min(1.0, max(0.0, 1 - (together - n) / (n * (n - 1)))), 4)
    return spread
