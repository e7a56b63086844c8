"""The affine map that carries one image's keypoints to another's, if there is one.

Lowe's (2004) way: each keypoint's nearest in descriptor space, kept when the second nearest is clearly farther; then
the map that most of these agree on (RANSAC: Fischler and Bolles, 1981), refined by least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KEYPOINTS = 256  # as harness/agent/dataset/keypoints.py sends
NUMBERS = 132
SIDE = 512  # pixels of the longer side of an image
_PARTS = 64  # of a pixel
_RATIO = 0.85  # of the distances to the nearest and second nearest descriptor
_TRIES = 400  # pairs of keypoints from which a map is drawn; a third of good ones is hit 44 times
_LARGEST_SCALE = 7.0
_LOOSE = 12.0  # pixels from a drawn map of similarity, which a change of aspect by 15 % may need
_NARROWING = (12.0, 8.0, 4.5, 3.0, 3.0, 3.0)  # pixels from the refined affine map
_FEWEST = 4

Floats = NDArray[np.float64]
Packed = NDArray[np.uint8]  # (images, 1 + KEYPOINTS, NUMBERS)

# A descriptor has 4 x 4 cells of 8 directions, turned to the keypoint's own direction: a mirrored image reverses the
# rows of cells and the sense of the directions.
_MIRRORED = np.array(
    [((3 - row) * 4 + column) * 8 + (8 - way) % 8 for row in range(4) for column in range(4) for way in range(8)]
)


@dataclass(frozen=True, slots=True)
class Keypoints:
    """`places`: (keypoints, 2), x and y in pixels of an image whose longer side is 512; `descriptors`: unit rows."""

    size: tuple[float, float]  # width and height in the same pixels
    places: Floats
    descriptors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AffineMap:
    """y = `linear` x + `shift`; `inliers`: (n, 2), the places in the first image that fit; `off`: (n, 2), pixels."""

    linear: Floats
    shift: Floats
    inliers: Floats
    off: Floats

    @property
    def aspect(self) -> float:
        """The ratio of the largest to the smallest stretch: 1 for a similarity."""
        large, small = np.linalg.svd(self.linear, compute_uv=False)
        return float(large / small) if small > 0 else float("inf")

    @property
    def scale(self) -> float:
        """The square root of the area's factor."""
        return float(np.sqrt(abs(np.linalg.det(self.linear))))


def descriptors(packed: Packed) -> NDArray[np.float32]:
    """All rows of (…, NUMBERS) as unit vectors, of which dot products are compared; zeros for rows without keypoint.

    The square root makes the Euclidean distance Hellinger's (Arandjelović and Zisserman, 2012).
    """
    roots = np.sqrt(packed[..., 4:].astype(np.float32))
    unit: NDArray[np.float32] = roots / np.maximum(np.linalg.norm(roots, axis=-1, keepdims=True), 1e-6)
    return unit


def mirrored_descriptors(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The descriptors, (…, 128), of the mirrored image."""
    return rows[..., _MIRRORED]


def unpacked(packed: NDArray[np.uint8]) -> Keypoints:
    """The keypoints of one image, (1 + KEYPOINTS, NUMBERS); any bytes are valid."""
    packed = np.ascontiguousarray(packed)
    places = np.ascontiguousarray(packed[:, :4]).view("<u2").astype(np.float64) / _PARTS
    width, height = np.clip(places[0], 1, SIDE)
    there = packed[1:, 4:].any(axis=1)
    return Keypoints((float(width), float(height)), places[1:][there], descriptors(packed[1:][there]))


def mirrored(one: Keypoints) -> Keypoints:
    """The keypoints of the image mirrored left to right."""
    places = one.places.copy()
    places[:, 0] = one.size[0] - places[:, 0]
    return Keypoints(one.size, places, mirrored_descriptors(one.descriptors))


def affine_map(one: Keypoints, other: Keypoints) -> AffineMap | None:
    """The map from `one` to `other` that most of the matching keypoints fit; None where there is none."""
    first, second = _matches(one.descriptors, other.descriptors)
    a, b = one.places[first], other.places[second]
    kept = _similar(a, b)
    terms = np.column_stack([a, np.ones(len(a))])
    for within in _NARROWING:
        if kept.sum() < _FEWEST:
            return None
        fitted: Floats = np.linalg.lstsq(terms[kept], b[kept], rcond=None)[0].astype(np.float64)
        off = terms @ fitted - b
        kept = np.hypot(*off.T) < within
    found = AffineMap(fitted[:2].T, fitted[2], a[kept], off[kept])
    return found if 1 / _LARGEST_SCALE < found.scale < _LARGEST_SCALE else None


def _matches(one: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The indices of keypoints that are each other's nearest, and clearly nearer than the second nearest."""
    if len(one) < _FEWEST or len(other) < _FEWEST:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    cosines = one @ other.T
    nearest, back = cosines.argmax(axis=1), cosines.argmax(axis=0)
    best, second = np.partition(cosines, -2, axis=1)[:, :-3:-1].T
    near, far = (np.sqrt(np.maximum(2 - 2 * value, 0)) for value in (best, second))
    kept = np.flatnonzero((back[nearest] == np.arange(len(one))) & (near < _RATIO * far))
    return kept, nearest[kept]


def _similar(a: Floats, b: Floats) -> NDArray[np.bool_]:
    """The matches that fit the best of the similarities through two of them; drawn by a fixed seed."""
    count = len(a)
    if count < _FEWEST:
        return np.zeros(count, bool)
    random = np.random.default_rng(0)
    i = random.integers(0, count, _TRIES)
    j = (i + random.integers(1, count, _TRIES)) % count
    x, y = a @ (1, 1j), b @ (1, 1j)
    apart = np.abs(x[j] - x[i]) > 1
    i, j = i[apart], j[apart]
    factor = (y[j] - y[i]) / (x[j] - x[i])
    usual = (np.abs(factor) > 1 / _LARGEST_SCALE) & (np.abs(factor) < _LARGEST_SCALE)
    if not usual.any():
        return np.zeros(count, bool)
    factor, shift = factor[usual], (y[i] - factor * x[i])[usual]
    fits = np.abs(factor[:, None] * x + shift[:, None] - y) < _LOOSE
    best: NDArray[np.bool_] = fits[fits.sum(axis=1).argmax()]
    return best
