"""Finds equal or nearly equal hashes among the images of a whole class, in linear time and memory.

Two hashes of 64 bits that differ in at most 6 agree on at least one of 7 bands (the pigeonhole principle), so
images are compared within buckets of one band's value only (Indyk and Motwani, 1998: locality-sensitive hashing).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.audit.hashing import Hashes, distances

BITS = 6  # of 64: a re-encoded or resized copy differs in fewer; `matching.py` decides
_BANDS = (9, 9, 9, 9, 9, 9, 10)  # bits per band; one band more than bits that may differ
_LARGEST_BUCKET = 4096  # hashes compared with each other; in a larger bucket, those near each other when sorted
_BLOCK = 256  # hashes compared with a bucket at once
_KEPT = 8  # nearest images of other owners, for each image and band
_PAIRS_KEPT = 8  # nearest pairs, for each image of the class

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Alike:
    """Pairs of images with different owners, the nearest first; `cut`: owners whose images were not all compared."""

    pairs: Numbers  # (pairs, 2), the earlier owner's image first
    cut: frozenset[int]


def alike(upright: Hashes, mirrored: Hashes, owners: Numbers) -> Alike:
    """Images whose hashes differ in at most 6 bits, upright or with one of them mirrored.

    All three have the shape (images,), and `owners` is sorted. For an image with very many similar ones, only 8 per
    band are kept.
    """
    codes, bits = np.zeros(0, np.int64), np.zeros(0, np.uint8)
    cut: set[int] = set()
    everyone = np.concatenate([upright, mirrored])
    shift = 0
    for width in _BANDS:
        found = [(codes, bits)]
        for bucket, is_part in _buckets(everyone, shift, width):
            if is_part:
                cut.update(owners[bucket % len(upright)].tolist())
            targets = bucket[bucket < len(upright)]
            for start in range(0, len(bucket), _BLOCK):
                found.append(_near(bucket[start : start + _BLOCK], targets, everyone, owners, cut))
        codes, bits = _each_once(found)
        if len(codes) > (most := _PAIRS_KEPT * len(upright)):
            order = np.argpartition(bits, most)
            cut.update(owners[codes[order[most:]] // len(upright)].tolist())
            codes, bits = codes[order[:most]], bits[order[:most]]
        shift += width
    order = np.argsort(bits, kind="stable")
    pairs = np.stack(np.divmod(codes[order], len(upright)), axis=1) if len(codes) else np.zeros((0, 2), np.int64)
    return Alike(pairs, frozenset(cut))


def _buckets(everyone: Hashes, shift: int, width: int) -> Iterator[tuple[Numbers, bool]]:
    """The indices that share a band's value, in the order of their hashes; and whether the bucket was divided."""
    value = (everyone >> np.uint64(shift)) & np.uint64((1 << width) - 1)
    order = np.lexsort((everyone, value))
    edges = np.flatnonzero(np.diff(value[order])) + 1
    for together in np.split(order, edges):
        for start in range(0, len(together), _LARGEST_BUCKET):
            yield together[start : start + _LARGEST_BUCKET], len(together) > _LARGEST_BUCKET


def _near(
    rows: Numbers, targets: Numbers, everyone: Hashes, owners: Numbers, cut: set[int]
) -> tuple[Numbers, NDArray[np.uint8]]:
    """Codes of the pairs of `rows` (mirrored images follow the upright ones) with `targets` of later owners."""
    count = len(owners)
    images = rows % count
    between = distances(everyone[rows], everyone[targets])
    between[owners[images][:, None] >= owners[targets][None, :]] = 255
    hits = between <= BITS
    crowded = np.flatnonzero(hits.sum(axis=1) > _KEPT)
    if len(crowded):
        cut.update(owners[images[crowded]].tolist())
        dropped = np.argpartition(between[crowded], _KEPT, axis=1)[:, _KEPT:]
        hits[crowded[:, None], dropped] = False
    which, columns = np.nonzero(hits)
    return images[which] * count + targets[columns], between[which, columns]


def _each_once(found: list[tuple[Numbers, NDArray[np.uint8]]]) -> tuple[Numbers, NDArray[np.uint8]]:
    """Each pair once, with its smallest number of differing bits."""
    codes, bits = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((bits, codes))
    codes, bits = codes[order], bits[order]
    first = np.ones(len(codes), bool)
    first[1:] = codes[1:] != codes[:-1]
    return codes[first], bits[first]
