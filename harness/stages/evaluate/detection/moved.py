"""Where objects are on a corrupted image: two corruptions move what an image shows.

Boxes never enter the sandbox, so they are moved here as `harness/agent/images/corruptions.py` moves pixels; a test
compares both. A rotated object is taken as the ellipse that its box encloses: the box around that comes closer to that
around most objects than the one around four rotated corners (Kalra et al., "Towards Rotation Invariance in Object
Detection", ICCV 2021). An object of which less than half is left in the picture is ignored. Under the patch of
`occlusion` objects stay where they are: what is covered is missed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.stages.evaluate.detection.boxes import Flags, ObjectTruth, Sizes
from harness.stages.evaluate.detection.overlap import area

ROTATION = (15.0, 30.0, 45.0, 60.0, 90.0)  # degrees, by severity
DISTANCE = (0.8, 0.65, 0.5, 0.35, 0.25)  # size of the image within its frame
_LEFT = 0.5  # of an object in the picture: with less it is ignored

Floats = NDArray[np.float64]


def moved(truth: ObjectTruth, sizes: Sizes, corruption: str, severity: int, seeds: Sequence[int]) -> ObjectTruth:
    """The objects where they are after the corruption. `seeds`: of each image, from which the agent draws."""
    if corruption == "distance":
        box = 0.5 + (truth.box.astype(np.float64) - 0.5) * DISTANCE[severity - 1]
    elif corruption == "rotation":
        degrees = np.array([_turned(seed, severity) for seed in seeds], np.float64)
        box = _rotated(truth.box.astype(np.float64), sizes[truth.image].astype(np.float64), degrees[truth.image])
    else:
        return truth
    inside = np.clip(box, 0, 1)
    gone: Flags = area(inside) < _LEFT * area(box)
    return ObjectTruth(truth.image, inside.astype(np.float32), truth.label, truth.ignored | gone)


def _turned(seed: int, severity: int) -> float:
    """By how many degrees, to the left where above 0."""
    random = np.random.default_rng([seed, severity, *b"rotation"])
    degrees = ROTATION[severity - 1]
    return degrees if random.random() < 0.5 else -degrees


def _rotated(box: Floats, size: Floats, degrees: Floats) -> Floats:
    """The boxes of the ellipses, turned with the image about its centre; in pixels, since images are not square."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    across, down = (((box[:, :2] + box[:, 2:]) / 2 - 0.5) * size).T
    half_width, half_height = ((box[:, 2:] - box[:, :2]) / 2 * size).T
    centre = np.stack([across * cos + down * sin, down * cos - across * sin], axis=1)
    half = np.stack(
        [np.hypot(half_width * cos, half_height * sin), np.hypot(half_width * sin, half_height * cos)], axis=1
    )
    found: Floats = np.hstack([(centre - half) / size, (centre + half) / size]) + 0.5
    return found
