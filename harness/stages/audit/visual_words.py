"""Proposes pairs of images that share keypoints, in time and memory that grow linearly with the images.

Sivic and Zisserman's (2003) way: descriptors are sorted into visual words, and images that have rare words in common
are proposed. The vocabulary is two levels of descriptors drawn by a fixed seed from the images themselves, which needs
no training and no file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.stages.audit.keypoints import Packed, descriptors, mirrored_descriptors

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_FIRST, _SECOND = 128, 128  # the most words of the first level, and below each of these
_OF_A_WORD = 4  # descriptors, at least, in the mean: were each a word of its own, no two would agree
_BLOCK = 128  # images whose words are compared at once
_LONGEST = 500  # images of one word that are counted; of a more frequent word, some spread over all

Numbers = NDArray[np.int64]
Words = NDArray[np.int32]  # (images, keypoints); -1 where there is no keypoint


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`first`: (words, 128); `second`: for each of these, (words, 128)."""

    first: NDArray[np.float32]
    second: tuple[NDArray[np.float32], ...]

    def words(self, rows: NDArray[np.float32]) -> Words:
        """The word of each descriptor; -1 for zeros."""
        flat = rows.reshape(-1, rows.shape[-1])
        coarse = (flat @ self.first.T).argmax(axis=1)
        found = np.full(len(flat), -1, np.int32)
        there = flat.any(axis=1)
        for word, finer in enumerate(self.second):
            members = np.flatnonzero((coarse == word) & there)
            if len(members) and len(finer):
                found[members] = word * _SECOND + (flat[members] @ finer.T).argmax(axis=1)
        return found.reshape(rows.shape[:-1])


def vocabulary(sample: NDArray[np.float32]) -> Vocabulary:
    """A vocabulary drawn from descriptors, (descriptors, 128)."""
    random = np.random.default_rng(0)
    sample = random.permutation(sample[sample.any(axis=1)])
    sample = sample[: max(1, len(sample) // _OF_A_WORD)]
    first = sample[: min(_FIRST, max(1, math.isqrt(len(sample))))]
    coarse = (sample @ first.T).argmax(axis=1)
    return Vocabulary(first, tuple(sample[coarse == word][:_SECOND] for word in range(len(first))))


def sampled(packed: Packed, most: int) -> NDArray[np.float32]:
    """At most `most` descriptors, spread over the images, to draw the vocabulary from."""
    rows = packed[:, 1:].reshape(-1, packed.shape[-1])
    return descriptors(rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64))])


def all_words(packed: Packed, known: Vocabulary) -> tuple[Words, Words]:
    """The words of images, (images, 1 + keypoints, NUMBERS), as they are and mirrored."""
    count = packed.shape[1] - 1
    upright, reversed_ = np.zeros((len(packed), count), np.int32), np.zeros((len(packed), count), np.int32)
    for start in range(0, len(packed), _BLOCK):
        rows = descriptors(packed[start : start + _BLOCK, 1:])
        upright[start : start + _BLOCK] = known.words(rows)
        reversed_[start : start + _BLOCK] = known.words(mirrored_descriptors(rows))
    return upright, reversed_


def likeliest(upright: Words, mirrored: Words, owners: Numbers | None, each: int) -> Numbers:
    """(pairs, 3): i < j and whether i has to be mirrored; for each image the `each` likeliest others, best first.

    `owners`: only images of different owners are paired; None pairs all.
    """
    count = len(upright)
    if count < 2:
        return np.zeros((0, 3), np.int64)
    index, weights = _index(upright)
    found, scores = [np.zeros((0, 3), np.int64)], [np.zeros(0, np.float32)]
    for start in range(0, count, _BLOCK):
        both = [_together(words[start : start + _BLOCK], index, weights) for words in (upright, mirrored)]
        for row in range(both[0].shape[0]):
            pairs, values = _best(both, start + row, row, owners, each)
            found.append(pairs)
            scores.append(values)
    pairs, together = np.concatenate(found), np.concatenate(scores)
    order = np.argsort(-together, kind="stable")
    _, first = np.unique(pairs[order], axis=0, return_index=True)
    ranked: Numbers = pairs[order][np.sort(first)]
    return ranked


def _index(words: Words) -> tuple[csr_matrix, NDArray[np.float32]]:
    """(words, images), 1 where the image has the word; and each word's weight, its inverse document frequency."""
    matrix = _matrix(words).T.tocsr()
    frequency = np.diff(matrix.indptr)
    weights = np.log(np.maximum(len(words) / np.maximum(frequency, 1), 1)).astype(np.float32)
    for word in np.flatnonzero(frequency > _LONGEST):
        start, end = matrix.indptr[word : word + 2]
        dropped = np.ones(end - start, bool)
        dropped[np.linspace(0, end - start - 1, _LONGEST).astype(np.int64)] = False
        matrix.data[start:end][dropped] = 0
    matrix.eliminate_zeros()
    return matrix, weights


def _matrix(words: Words) -> csr_matrix:
    from scipy.sparse import csr_matrix

    rows, columns = np.nonzero(words >= 0)
    values = np.ones(len(rows), np.float32)
    matrix = csr_matrix((values, (rows, words[rows, columns])), (len(words), _FIRST * _SECOND))
    matrix.data[:] = 1  # a word counts once for an image, however often it repeats a pattern
    return matrix


def _together(words: Words, index: csr_matrix, weights: NDArray[np.float32]) -> csr_matrix:
    """(images of `words`, all images): the sum of the weights of the words that both have."""
    matrix = _matrix(words)
    matrix.data = weights[matrix.indices]
    together: csr_matrix = (matrix @ index).tocsr()
    return together


def _best(
    both: list[csr_matrix], me: int, row: int, owners: Numbers | None, each: int
) -> tuple[Numbers, NDArray[np.float32]]:
    """The likeliest partners of image `me`, in that row of both blocks, as (low, high, is mirrored); their scores."""
    others, scores, flipped = [], [], []
    for is_mirrored, block in enumerate(both):
        inside = slice(block.indptr[row], block.indptr[row + 1])
        others.append(block.indices[inside].astype(np.int64))
        scores.append(block.data[inside])
        flipped.append(np.full(len(others[-1]), is_mirrored))
    other, score, is_flipped = np.concatenate(others), np.concatenate(scores), np.concatenate(flipped)
    kept = np.flatnonzero((other != me) if owners is None else (owners[other] != owners[me]))
    if len(kept) > each:
        kept = kept[np.argpartition(-score[kept], each)[:each]]
    low, high = np.minimum(other[kept], me), np.maximum(other[kept], me)
    return np.column_stack([low, high, is_flipped[kept]]), score[kept]
