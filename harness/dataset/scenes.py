"""Which pictures are copies of each other, and which show one scene."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.dataset.hashing import ORIENTATIONS, distances, hashes, oriented
from harness.dataset.matching import Detail, Match, detail, match
from harness.dataset.pictures import PictureSet, unit

_COSINE = 0.90  # of embeddings: pairs of one scene have at least 0.95
_NEIGHBOURS = 8  # of a picture, by embedding, that are looked at in detail
_BITS = 16  # of 64 that may differ for a pair to be looked at: in the bursts that were measured at most 6 do
_BITS_ALONE = 22  # where there are no embeddings to propose pairs too
_MOST_PAIRS = 20_000
_BLOCK = 512  # pictures compared at once


@dataclass(frozen=True, slots=True)
class SceneMap:
    """Sets of pictures by index, each with two or more, sorted by their first.

    `exact`: equal pixels. `copies`: one photograph, perhaps re-encoded, resized or turned (exact ones included).
    `scenes`: one scene, copies and bursts alike. `groups`: what a split must keep together: as `scenes`, and pairs
    that are in doubt.
    """

    exact: tuple[tuple[int, ...], ...]
    copies: tuple[tuple[int, ...], ...]
    scenes: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, ...], ...]
    complete: bool  # False when there were too many similar pairs to look at all

    def group_of(self, count: int) -> NDArray[np.int64]:
        """The group of each of `count` pictures, as a number; a picture alone is its own."""
        numbers = np.arange(count, dtype=np.int64)
        for group in self.groups:
            numbers[list(group)] = group[0]
        return numbers


def scene_map(pictures: PictureSet) -> SceneMap:
    """Compares the pictures with each other: hashes and embeddings propose pairs, detail decides."""
    by_pixels: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(pictures.described):
        by_pixels[one.sha256].append(index)
    exact = [(first, other) for same in by_pixels.values() for first in same[:1] for other in same[1:]]
    first_of = {index: same[0] for same in by_pixels.values() for index in same}
    proposed = {(first_of[i], first_of[j]) for i, j in _proposed(pictures) if first_of[i] != first_of[j]}
    pairs = sorted({(min(pair), max(pair)) for pair in proposed})
    details: dict[int, Detail] = {}

    def of(index: int) -> Detail:
        if index not in details:
            details[index] = detail(pictures.greys[index])
        return details[index]

    found: list[tuple[int, int, Match]] = [(i, j, match(of(i), of(j))) for i, j in pairs[:_MOST_PAIRS]]
    copies = exact + [(i, j) for i, j, seen in found if seen.copy]
    scenes = copies + [(i, j) for i, j, seen in found if seen.same_scene]
    groups = scenes + [(i, j) for i, j, seen in found if seen.perhaps_same_scene]
    count = len(pictures)
    return SceneMap(
        joined(exact, count),
        joined(copies, count),
        joined(scenes, count),
        joined(groups, count),
        len(pairs) <= _MOST_PAIRS,
    )


def joined(pairs: Iterable[tuple[int, int]], count: int) -> tuple[tuple[int, ...], ...]:
    """The connected sets of two or more among `count` things, each sorted, in the order of their first."""
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    members: dict[int, list[int]] = defaultdict(list)
    for index in range(count):
        members[root(index)].append(index)
    return tuple(tuple(together) for together in members.values() if len(together) > 1)


def _proposed(pictures: PictureSet) -> Iterable[tuple[int, int]]:
    """Pairs of different pictures that may show one scene, in any orientation."""
    count = len(pictures)
    if count < 2:
        return
    upright = hashes(pictures.greys)
    bits = _BITS if pictures.embeddings is not None else _BITS_ALONE
    for orientation in range(ORIENTATIONS):
        turned = upright if orientation == 0 else hashes(oriented(pictures.greys, orientation))
        for start in range(0, count, _BLOCK):
            rows, columns = np.nonzero(distances(turned[start : start + _BLOCK], upright) <= bits)
            yield from _pairs(rows + start, columns)
    if pictures.embeddings is None:
        return
    units = unit(pictures.embeddings)
    near = min(_NEIGHBOURS + 1, count)
    for start in range(0, count, _BLOCK):
        cosines = units[start : start + _BLOCK] @ units.T
        nearest = np.argpartition(-cosines, near - 1, axis=1)[:, :near]
        alike = np.take_along_axis(cosines, nearest, axis=1) >= _COSINE
        rows, which = np.nonzero(alike)
        yield from _pairs(rows + start, nearest[rows, which])


def _pairs(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    return ((int(i), int(j)) for i, j in zip(rows, columns, strict=True) if i != j)
