"""Perceptual hashes: 64 bits of an image's coarse structure, which survive resizing and re-encoding.

The hash of Zauner (2010) that the package imagehash calls phash: the signs of the lowest 8 by 8
coefficients of the cosine transform against their median. It is computed here because the image itself
never leaves the sandbox, and because its eight orientations are needed too.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Number = TypeVar("Number", np.uint8, np.float32)

ORIENTATIONS = 8  # four quarter turns, each also mirrored
_COARSE = 32  # pixels, both sides
_BLOCK = 256  # images hashed at once


def hashes(greys: NDArray[np.uint8]) -> Hashes:
    """`greys`: (images, side, side) with a side that 32 divides. Returns (images,)."""
    parts = [_hashes(greys[start : start + _BLOCK]) for start in range(0, len(greys), _BLOCK)]
    return np.concatenate([np.zeros(0, np.uint64), *parts])


def _hashes(greys: NDArray[np.uint8]) -> Hashes:
    from scipy.fft import dctn

    count, side = len(greys), greys.shape[-1]
    factor = side // _COARSE
    coarse = greys.reshape(count, _COARSE, factor, _COARSE, factor).mean(axis=(2, 4))
    low = np.asarray(dctn(coarse, axes=(1, 2), norm="ortho"))[:, :8, :8].reshape(count, 64)
    bits = low > np.median(low[:, 1:], axis=1, keepdims=True)
    packed: Hashes = np.packbits(bits, axis=1).view(np.uint64).reshape(count)
    return packed


def oriented(greys: NDArray[Number], orientation: int) -> NDArray[Number]:
    """The images (…, side, side) turned: `orientation` // 2 quarter turns, then mirrored when it is odd."""
    turned = np.rot90(greys, orientation // 2, axes=(-2, -1))
    return turned[..., ::-1] if orientation % 2 else turned


def distances(one: Hashes, other: Hashes) -> NDArray[np.uint8]:
    """How many bits differ, for all pairs: (len(one), len(other))."""
    counts: NDArray[np.uint8] = np.bitwise_count(one[:, None] ^ other[None, :])
    return counts
