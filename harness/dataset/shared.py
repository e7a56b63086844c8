"""Pictures that several students handed in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from harness.dataset.hashing import distances, hashes, oriented
from harness.dataset.matching import detail, match

_BITS = 6  # of 64: a re-encoded or resized copy differs in fewer; detail decides
_MOST_COMPARED = 200  # pairs of pictures of two students that are looked at in detail

Pairs = list[tuple[int, int]]  # own picture, the other's


def shared(
    sets: Mapping[str, tuple[tuple[str, ...], NDArray[np.uint8]]],
) -> dict[str, dict[str, Pairs]]:
    """Owner -> other owner -> pairs, for pictures that are one photograph.

    `sets`: owner -> hashes of the pixels, and the small grey pictures in the same order. A copy that was
    re-encoded, resized or mirrored counts; two photographs of one scene do not: two students may share a table.
    """
    upright = {owner: hashes(greys) for owner, (_, greys) in sets.items()}
    mirrored = {owner: hashes(oriented(greys, 1)) for owner, (_, greys) in sets.items()}
    found: dict[str, dict[str, Pairs]] = defaultdict(dict)
    for one, other in combinations(sets, 2):
        (one_pixels, one_greys), (other_pixels, other_greys) = sets[one], sets[other]
        if not one_pixels or not other_pixels:
            continue
        position = {digest: index for index, digest in enumerate(other_pixels)}
        pairs = {i: position[digest] for i, digest in enumerate(one_pixels) if digest in position}
        near = np.minimum(distances(upright[one], upright[other]), distances(mirrored[one], upright[other]))
        for i, j in np.argwhere(near <= _BITS)[:_MOST_COMPARED]:
            if int(i) not in pairs and match(detail(one_greys[i]), detail(other_greys[j])).copy:
                pairs[int(i)] = int(j)
        if pairs:
            found[one][other] = sorted(pairs.items())
            found[other][one] = sorted((j, i) for i, j in pairs.items())
    return dict(found)
