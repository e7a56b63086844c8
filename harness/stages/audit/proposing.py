"""Proposes pairs of a data set's images that may show one scene, by hashes and embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from harness.stages.audit.hashing import ORIENTATIONS, Hashes, distances, hashes, oriented
from harness.stages.audit.images import ImageSet, unit

_COSINE = 0.90  # of embeddings: pairs of one scene have at least 0.95
_NEIGHBOURS = 8  # nearest images by embedding that are compared in detail
_BITS = 16  # of 64 that may differ in a proposed pair; at most 6 did in measured bursts
_BITS_ALONE = 22  # the same without embeddings
_MOST_PAIRS = 20_000
_BLOCK = 128  # images compared at once

Numbers = NDArray[np.int64]
Rows = Iterator[tuple[int, NDArray[np.uint8]]]  # the first image, and the differing bits (images, all)


def proposed(images: ImageSet, first_of: Numbers) -> tuple[list[tuple[int, int]], bool]:
    """Pairs (i, j) with i < j, sorted, at most 20,000; and whether these are all candidates.

    `first_of`: for each image the first one with equal pixels, which represents it. If there are more pairs, each
    image proposes its likeliest ones, as many as fit.
    """
    count = len(images)
    if count < 2:
        return [], True
    upright = hashes(images.greys)
    bits = _BITS if images.embeddings is not None else _BITS_ALONE
    near = [_pairs(*by_embedding, first_of) for by_embedding in _by_embedding(images)]

    def all_of(block: NDArray[np.uint8]) -> tuple[Numbers, Numbers]:
        rows, columns = np.nonzero(block <= bits)
        return rows, columns

    by_hash, complete = _within(_MOST_PAIRS, images, upright, first_of, all_of)
    if not complete:
        each = max(1, _MOST_PAIRS // (count * ORIENTATIONS))

        def likeliest(block: NDArray[np.uint8]) -> tuple[Numbers, Numbers]:
            columns = np.argpartition(block, min(each, count - 1), axis=1)[:, : each + 1]
            rows, which = np.nonzero(np.take_along_axis(block, columns, axis=1) <= bits)
            return rows, columns[rows, which]

        by_hash, _ = _within(count * ORIENTATIONS * (each + 1), images, upright, first_of, likeliest)
    codes = np.unique(np.concatenate([by_hash, *near]))
    complete = complete and len(codes) <= _MOST_PAIRS
    if len(codes) > _MOST_PAIRS:  # thinned evenly over the images, by which the codes are sorted
        codes = codes[np.linspace(0, len(codes) - 1, _MOST_PAIRS).astype(np.int64)]
    return [divmod(code, count) for code in codes.tolist()], complete


def _within(
    limit: int,
    images: ImageSet,
    upright: Hashes,
    first_of: Numbers,
    choose: Callable[[NDArray[np.uint8]], tuple[Numbers, Numbers]],
) -> tuple[Numbers, bool]:
    """The codes of the pairs that `choose` selects in each block; stops, with False, beyond `limit` of them."""
    found = np.zeros(0, np.int64)
    for start, block in _blocks(images, upright):
        rows, columns = choose(block)
        found = np.unique(np.concatenate([found, _pairs(rows + start, columns, first_of)]))
        if len(found) > limit:
            return found[:0], False
    return found, True


def _blocks(images: ImageSet, upright: Hashes) -> Rows:
    """For every orientation, how many bits of each image's hash differ from every upright hash."""
    for orientation in range(ORIENTATIONS):
        turned = upright if orientation == 0 else hashes(oriented(images.greys, orientation))
        for start in range(0, len(upright), _BLOCK):
            yield start, distances(turned[start : start + _BLOCK], upright)


def _by_embedding(images: ImageSet) -> Iterator[tuple[Numbers, Numbers]]:
    """For each block of images, the nearest few of each image that are near enough."""
    if images.embeddings is None:
        return
    units = unit(images.embeddings)
    near = min(_NEIGHBOURS + 1, len(units))
    for start in range(0, len(units), _BLOCK):
        cosines = units[start : start + _BLOCK] @ units.T
        nearest = np.argpartition(-cosines, near - 1, axis=1)[:, :near]
        alike = np.take_along_axis(cosines, nearest, axis=1) >= _COSINE
        rows, which = np.nonzero(alike)
        yield rows + start, nearest[rows, which]


def _pairs(rows: Numbers, columns: Numbers, first_of: Numbers) -> Numbers:
    """Each pair as one code, i * count + j with i < j, without pairs of an image with itself or an equal one."""
    one, other = first_of[rows], first_of[columns]
    different = one != other
    low, high = np.minimum(one, other)[different], np.maximum(one, other)[different]
    codes: Numbers = np.unique(low * len(first_of) + high)
    return codes
