"""Finds images that several students handed in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.grading.similarity.shared_parts import Owned, Pairs, with_parts
from harness.stages.audit.alike import alike
from harness.stages.audit.hashing import Hashes, hashes, oriented
from harness.stages.audit.matching import detail, match
from harness.stages.evidence.record import Record

_MOST_COMPARED = 200  # image pairs of two students that are compared in detail
_MOST_OF_ONE = 600  # detailed pairs with all others, for each student
_MOST_OTHERS = 20  # students, in the order of their names, for whom one equal image is noted


class Shared(Record):
    """Owner -> other owner -> pairs; and the owners whose images were not all compared with every other's."""

    pairs: dict[str, dict[str, Pairs]]
    cut: frozenset[str]


def shared(sets: Mapping[str, Owned]) -> Shared:
    """The images of different owners that show the same photograph.

    Re-encoded, resized, mirrored, cropped, turned or framed copies count; two photographs of one scene do not, because
    two students may share a table. Time and memory grow linearly with the number of images.
    """
    names = list(sets)
    found: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    cut = _equal([sets[name].pixels for name in names], found)
    cut |= _alike(names, sets, found)
    cut |= with_parts([sets[name] for name in names], found)
    pairs: dict[str, dict[str, Pairs]] = defaultdict(dict)
    for one, other in sorted(found):
        if these := found[one, other]:
            pairs[names[one]][names[other]] = sorted(these.items())
            pairs[names[other]][names[one]] = sorted((j, i) for i, j in these.items())
    return Shared(pairs=dict(pairs), cut=frozenset(names[owner] for owner in cut))


def _equal(pixels: Sequence[tuple[str, ...]], found: dict[tuple[int, int], dict[int, int]]) -> set[int]:
    """Note images with equal pixels; return the owners with images that too many hold, so that not all are noted."""
    holders: dict[str, dict[int, list[int]]] = defaultdict(dict)
    for owner, digests in enumerate(pixels):
        for index, digest in enumerate(digests):
            holders[digest].setdefault(owner, []).append(index)
    cut: set[int] = set()
    for of_owner in holders.values():
        owners = list(of_owner)
        if len(owners) > _MOST_OTHERS + 1:
            cut.update(owners)
        for position, one in enumerate(owners):
            for other in owners[position + 1 : position + 1 + _MOST_OTHERS]:
                found[one, other].update((index, of_owner[other][-1]) for index in of_owner[one])
    return cut


def _alike(names: Sequence[str], sets: Mapping[str, Owned], found: dict[tuple[int, int], dict[int, int]]) -> set[int]:
    """Note images that are alike by hashes and in detail; return the owners whose images were not all compared."""
    upright, mirrored, owners = _hashed([sets[name] for name in names])
    first = np.searchsorted(owners, np.arange(len(names)))
    near = alike(upright, mirrored, owners)
    cut = set(near.cut)
    to_compare: dict[tuple[int, int], Pairs] = defaultdict(list)
    taken: Counter[int] = Counter()
    for i, j in near.pairs.tolist():
        one, other = int(owners[i]), int(owners[j])
        pair = (i - int(first[one]), j - int(first[other]))
        equal = sets[names[one]].pixels[pair[0]] == sets[names[other]].pixels[pair[1]]
        if equal or pair[0] in found.get((one, other), ()):
            continue
        listed = to_compare[one, other]
        if len(listed) >= _MOST_COMPARED or max(taken[one], taken[other]) >= _MOST_OF_ONE:
            cut |= {one, other}
            continue
        listed.append(pair)
        taken.update((one, other))
    for (one, other), pairs in to_compare.items():
        if pairs:
            _look(sets[names[one]], sets[names[other]], pairs, found[one, other])
    return cut


def _look(one: Owned, other: Owned, pairs: Pairs, found: dict[int, int]) -> None:
    """Add the pairs whose details show one photograph."""
    mine, theirs = one.greys(), other.greys()
    for i, j in sorted(pairs):
        if i not in found and match(detail(mine[i]), detail(theirs[j])).copy:
            found[i] = j


def _hashed(sets: Sequence[Owned]) -> tuple[Hashes, Hashes, NDArray[np.int64]]:
    """All images' hashes upright and mirrored, and the number of each one's owner."""
    upright, mirrored = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for one in sets:
        greys = one.greys()
        upright.append(hashes(greys))
        mirrored.append(hashes(oriented(greys, 1)))
    owners = np.repeat(np.arange(len(sets)), [len(part) for part in upright[1:]])
    return np.concatenate(upright), np.concatenate(mirrored), owners
