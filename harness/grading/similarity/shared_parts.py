"""Finds images of which several students handed in a part: cropped, turned, rescaled, framed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stages.audit.keypoints import Packed
from harness.stages.audit.parts import is_altered
from harness.stages.audit.visual_words import all_words, likeliest, sampled, vocabulary

_EACH = 2  # likeliest images of others that are compared, for each image
_MOST_OF_ONE = 1000  # compared pairs with all others, for each student
_DRAWN = 2**18  # descriptors of all students, from which the vocabulary is drawn

Pairs = list[tuple[int, int]]  # own image, the other's
Greys = NDArray[np.uint8]
Found = dict[tuple[int, int], dict[int, int]]  # (owner, later owner) -> own image -> the other's


@dataclass(frozen=True, slots=True)
class Owned:
    """One student's images: the hashes of their pixels, and in the same order the small grey ones and the keypoints.

    The grey images of a class take gigabytes, so they are loaded for one or two students at a time.
    """

    pixels: tuple[str, ...]
    greys: Callable[[], Greys]
    keypoints: Callable[[], Packed] | None = None  # as harness/stages/audit/keypoints.py reads them


def with_parts(sets: Sequence[Owned], found: Found) -> set[int]:
    """Add the altered copies among the images of different owners; return the owners of whom not all were compared.

    At most 1,000 compared pairs for each owner, at some 4 ms each.
    """
    loaded = [(owner, one.keypoints()) for owner, one in enumerate(sets) if one.keypoints is not None]
    loaded = [(owner, packed) for owner, packed in loaded if len(packed)]
    if len(loaded) < 2:
        return set()
    known = vocabulary(np.concatenate([sampled(packed, _DRAWN // len(loaded)) for _, packed in loaded]))
    upright, mirrored = zip(*(all_words(packed, known) for _, packed in loaded), strict=True)
    sizes = [len(packed) for _, packed in loaded]
    owners = np.repeat([owner for owner, _ in loaded], sizes)
    indices = np.concatenate([np.arange(size) for size in sizes])
    near = likeliest(np.concatenate(upright), np.concatenate(mirrored), owners, _EACH)
    wanted, cut = _within_limits(near.tolist(), owners, found, indices)
    for (one, other), pairs in wanted.items():
        _compare(sets[one], sets[other], pairs, found[one, other])
    return cut


def _within_limits(
    near: Iterable[Sequence[int]], owners: NDArray[np.int64], found: Found, indices: NDArray[np.int64]
) -> tuple[dict[tuple[int, int], list[tuple[int, int, bool]]], set[int]]:
    """The pairs to compare, by owners; and the owners for whom there were more than may be compared."""
    wanted: dict[tuple[int, int], list[tuple[int, int, bool]]] = defaultdict(list)
    taken: Counter[int] = Counter()
    cut: set[int] = set()
    for i, j, is_mirrored in near:
        one, other = int(owners[i]), int(owners[j])
        if int(indices[i]) in found.get((one, other), ()):
            continue
        if max(taken[one], taken[other]) >= _MOST_OF_ONE:
            cut |= {one, other}
            continue
        wanted[one, other].append((int(indices[i]), int(indices[j]), bool(is_mirrored)))
        taken.update((one, other))
    return wanted, cut


def _compare(one: Owned, other: Owned, pairs: Iterable[tuple[int, int, bool]], found: dict[int, int]) -> None:
    """Add the pairs that are copies of one photograph."""
    if one.keypoints is None or other.keypoints is None:
        return
    mine, theirs = (one.greys(), one.keypoints()), (other.greys(), other.keypoints())
    for i, j, is_mirrored in pairs:
        if i not in found and is_altered((mine[0][i], mine[1][i]), (theirs[0][j], theirs[1][j]), is_mirrored):
            found[i] = j
