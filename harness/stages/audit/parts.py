"""Copies of which a part is seen, or that are part of another image: cropped, turned, rescaled, framed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from harness.stages.audit.images import ImageSet
from harness.stages.audit.keypoints import Packed, affine_map, mirrored, unpacked
from harness.stages.audit.overlap import overlap
from harness.stages.audit.visual_words import all_words, likeliest, sampled, vocabulary

_EACH = 8  # likeliest other images of each that are compared
_ALL_OF = 20  # images: in so small a set no word is rare, and all pairs are compared
_DRAWN = 2**16  # descriptors from which the vocabulary is drawn

Grey = NDArray[np.uint8]


def look_alike(packed: Packed | None, first_of: NDArray[np.int64]) -> Iterator[tuple[int, int, bool]]:
    """Pairs (i, j, whether i is mirrored) of images that may be altered copies, the likeliest first.

    `first_of`: for each image the first one with equal pixels, which represents it.
    """
    if packed is None:
        return
    kept = np.unique(first_of)
    if len(kept) <= _ALL_OF:
        yield from ((i, j, flipped) for i, j in combinations(kept.tolist(), 2) for flipped in (False, True))
        return
    those = packed[kept]
    upright, reversed_ = all_words(those, vocabulary(sampled(those, _DRAWN)))
    for i, j, is_mirrored in likeliest(upright, reversed_, None, _EACH).tolist():
        yield int(kept[i]), int(kept[j]), bool(is_mirrored)


def altered(images: ImageSet, i: int, j: int, is_mirrored: bool) -> bool:
    """Whether image j is a copy of image i, or of its mirror image."""
    if images.keypoints is None:
        return False
    return is_altered((images.greys[i], images.keypoints[i]), (images.greys[j], images.keypoints[j]), is_mirrored)


def is_altered(one: tuple[Grey, Packed], other: tuple[Grey, Packed], is_mirrored: bool) -> bool:
    """Whether two images, each as its small grey one and its packed keypoints, are copies of one photograph."""
    (grey, packed), (other_grey, other_packed) = one, other
    first, second = unpacked(packed), unpacked(other_packed)
    if is_mirrored:
        grey, first = grey[:, ::-1], mirrored(first)
    found = affine_map(first, second)
    return found is not None and overlap(grey, other_grey, (first.size, second.size), found).copy
