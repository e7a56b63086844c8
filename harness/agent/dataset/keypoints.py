"""SIFT keypoints of an image (Lowe, 2004): where it has distinctive detail, and what this looks like there.

Keypoints are found again after cropping, turning, rescaling and framing, so they show which part of an image another
one repeats. Needs OpenCV, which the environments of `harness/sandbox/environments` hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Extractor = Callable[[Grey], NDArray[np.uint8]]

KEYPOINTS = 256  # the most of one image
NUMBERS = 132  # bytes of a keypoint: x, y (little-endian uint16, 1/64 pixel), and 128 of the descriptor
_SIDE = 512  # pixels of the longer side, in which places are given
_PARTS = 64  # of a pixel
_CONTRAST = 0.01  # a quarter of Lowe's: cloth and fruit have weak detail
_EDGE = 12  # ratio of curvatures, near Lowe's 10
_FINEST = 3.0  # pixels: the least diameter of the second octave; each further octave's is twice as large
_OCTAVES = 4
_SMALL = 256  # pixels of the longer side


def sift() -> Extractor | None:
    """A function that describes a grey image, longer side at most 512; None where OpenCV is not installed.

    It returns uint8, (1 + KEYPOINTS, NUMBERS): the first row begins with the width and height, in the same units as
    the places; rows without a keypoint are zeros. A quarter of the keypoints is kept for each octave, because those of
    coarse structure are the ones that a smaller copy has.
    """
    try:
        import cv2
    except ImportError:
        return None
    cv2.setNumThreads(1)
    finder = cv2.SIFT_create(contrastThreshold=_CONTRAST, edgeThreshold=_EDGE)  # type: ignore[attr-defined,unused-ignore]

    def described(grey: Grey) -> NDArray[np.uint8]:
        rows = np.zeros((1 + KEYPOINTS, NUMBERS), np.uint8)
        scale = _SIDE / max(grey.shape)
        rows[0, :4] = _units(np.array([grey.shape[::-1]]) * scale)
        chosen, descriptors = _described(finder, grey)
        if descriptors is not None:
            places = (np.array([one.pt for one in chosen]) + 0.5) * scale
            rows[1 : 1 + len(chosen), :4] = _units(places)
            rows[1 : 1 + len(chosen), 4:] = np.clip(descriptors, 0, 255).astype(np.uint8)
        return rows

    return described


def _described(finder: Any, grey: Grey) -> tuple[list[Any], NDArray[np.float32] | None]:
    """The chosen keypoints and their descriptors; none where nothing is distinctive."""
    if max(grey.shape) <= _SMALL:  # few keypoints: describing all costs less than making the octaves a second time
        found, every = finder.detectAndCompute(grey, None)
        which: Any = _chosen(found) if found else []
        return [found[index] for index in which], every[which] if found else None
    found = list(finder.detect(grey, None))
    return finder.compute(grey, [found[index] for index in _chosen(found)]) if found else ([], None)


def _units(places: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(n, 2) in pixels as (n, 4) bytes."""
    whole = np.clip(np.round(places * _PARTS), 0, 65535).astype("<u2")
    return np.ascontiguousarray(whole).view(np.uint8)


def _chosen(found: list[Any]) -> NDArray[np.int64]:
    """The indices of the strongest keypoints of each octave, then of the strongest others."""
    strength = np.array([one.response for one in found])
    octave = np.log2(np.array([one.size for one in found]) / _FINEST).clip(0, _OCTAVES - 1).astype(np.int64)
    order = np.argsort(-strength, kind="stable")
    rank = np.zeros(len(found), np.int64)
    for number in range(_OCTAVES):
        members = order[octave[order] == number]
        rank[members] = np.arange(len(members))
    first = rank[order] < KEYPOINTS // _OCTAVES
    return np.concatenate([order[first], order[~first]])[:KEYPOINTS]
