"""Images as numbers: scenes of random blobs, each photographed several times with a hand that moves."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter

from harness.stages.audit import Described, ImageSet

_MARGIN = 24


def scene(random: np.random.Generator) -> NDArray[np.float64]:
    """An image with coarse shapes and fine texture, larger than what a shot shows."""
    side = 128 + 2 * _MARGIN
    coarse = gaussian_filter(random.normal(size=(side, side)), 12)
    fine = gaussian_filter(random.normal(size=(side, side)), 1.5)
    return coarse / coarse.std() * 45 + fine / fine.std() * 18 + 128


def shot(place: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.uint8]:
    """One photograph: a few pixels aside, turned by up to 2 degrees, 2 % nearer or farther, in another exposure."""
    angle = np.deg2rad(random.uniform(-2, 2))
    zoom = random.uniform(0.98, 1.02)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array(place.shape) / 2
    offset = centre - turn @ np.array([64, 64]) + random.uniform(-5, 5, 2)
    seen = affine_transform(place, turn, offset, output_shape=(128, 128), order=1)
    return np.clip(seen * random.uniform(0.9, 1.1) + random.normal(0, 2, seen.shape), 0, 255).astype(np.uint8)


def described(grey: NDArray[np.uint8], **changes: Any) -> Described:
    values: dict[str, Any] = {
        "width": 4000,
        "height": 3000,
        "sha256": hashlib.sha256(grey.tobytes()).hexdigest(),
        "blur": 0.3,
        "brightness": 0.5,
        "bright_share": 0.0,
        "dark_share": 0.0,
        "camera": True,
        "rights": False,
        "plain_border": False,
    }
    return Described(**(values | changes))


def of_greys(greys: list[NDArray[np.uint8]], labels: list[str], splits: list[Any] | None = None) -> ImageSet:
    return ImageSet(
        tuple(f"{label}/{i:03}.jpg" for i, label in enumerate(labels)),
        tuple(labels),
        tuple(splits or [""] * len(labels)),
        tuple(map(described, greys)),
        np.stack(greys),
        None,
    )


def image_set(scenes: int, shots: int, seed: int) -> ImageSet:
    """Scenes of two classes by lot, each shot several times."""
    random = np.random.default_rng(seed)
    greys, labels = [], []
    for number in range(scenes):
        place = scene(random)
        greys += [shot(place, random) for _ in range(shots)]
        labels += [("ball", "mug")[number % 2]] * shots
    return of_greys(greys, labels)
