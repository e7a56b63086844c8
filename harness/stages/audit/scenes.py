"""Groups images that are copies of each other, and images that show one scene."""

from __future__ import annotations

import functools
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.audit.images import ImageSet
from harness.stages.audit.joined import Joined
from harness.stages.audit.matching import Detail, detail, has_detail, match
from harness.stages.audit.parts import altered, look_alike
from harness.stages.audit.proposing import proposed

_DETAILS_KEPT = 512  # of 64 KiB each; pairs are sorted, so those of an image follow each other


@dataclass(frozen=True, slots=True)
class SceneMap:
    """Sets of image indices, each with two or more, sorted by their first.

    `exact`: equal pixels. `copies`: one photograph, perhaps re-encoded, resized, turned, cropped or framed (exact ones
    included).
    `scenes`: one scene, both copies and bursts. `groups`: sets that a split must keep together: `scenes` and doubtful
    pairs.
    """

    exact: tuple[tuple[int, ...], ...]
    copies: tuple[tuple[int, ...], ...]
    scenes: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, ...], ...]
    complete: bool  # False when there were too many similar pairs to compare all

    def group_of(self, count: int) -> NDArray[np.int64]:
        """The group number of each of `count` images; a single image is its own group."""
        numbers = np.arange(count, dtype=np.int64)
        for group in self.groups:
            numbers[list(group)] = group[0]
        return numbers


def scene_map(images: ImageSet) -> SceneMap:
    """Compare the images with each other: hashes, embeddings and keypoints propose pairs, and detail decides.

    Memory and time grow linearly with the images: above 20,000 pairs each image keeps its likeliest ones, and images
    known to be one photograph are not compared again.
    """
    by_pixels: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(images.described):
        by_pixels[one.sha256].append(index)
    count = len(images)
    exact = Joined(count)
    first_of = np.arange(count, dtype=np.int64)
    for same in by_pixels.values():
        first_of[same] = same[0]
        for other in same[1:]:
            exact.join(same[0], other)
    pairs, complete = proposed(images, first_of)
    copies = exact.copy()
    scenes, groups = exact.copy(), exact.copy()

    @functools.lru_cache(maxsize=_DETAILS_KEPT)
    def of(index: int) -> Detail:
        return detail(images.greys[index])

    for i, j in pairs:
        if copies.together(i, j) or not has_detail(of(i)):
            continue
        seen = match(of(i), of(j))
        if seen.copy:
            copies.join(i, j)
        if seen.same_scene:
            scenes.join(i, j)
        if seen.perhaps_same_scene:
            groups.join(i, j)
    for i, j, is_mirrored in look_alike(images.keypoints, first_of):
        if not copies.together(i, j) and altered(images, i, j, is_mirrored):
            for sets in (copies, scenes, groups):
                sets.join(i, j)
    return SceneMap(exact.sets(), copies.sets(), scenes.sets(), groups.sets(), complete)
