"""Selects the images to withhold from a student's data set before the notebook runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def withhold(
    labels: Sequence[str | None],
    groups: Sequence[int] | NDArray[np.int64],
    may: Sequence[bool],
    *,
    fraction: float,
    per_class: int,
    seed: int,
) -> tuple[int, ...]:
    """The sorted indices of a seeded part of each class, in whole groups: a group is never divided.

    It has `fraction` of each class, at least `per_class` images, but never more than half, which is left to train on.
    `may`: whether an image can be graded on; a group with one that cannot stays in the training part. A class whose
    images are mostly one group yields too few.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[int(group)].append(index)
    totals = Counter(label for label in labels if label is not None)
    wanted = {label: min(max(per_class, round(fraction * n)), n // 2) for label, n in totals.items()}
    most = {label: n // 2 for label, n in totals.items()}
    taken: Counter[str] = Counter()
    chosen: list[int] = []
    random = np.random.default_rng(seed)
    order = list(members)
    random.shuffle(order)
    for limit in (wanted, most):  # first groups that fit; then, if these are too few, larger ones
        for group in order:
            inside = members[group]
            counts = Counter(label for index in inside if (label := labels[index]) is not None)
            usable = bool(inside) and all(may[index] and labels[index] is not None for index in inside)
            needed = any(taken[label] < wanted[label] for label in counts)
            fits = all(taken[label] + n <= limit[label] for label, n in counts.items())
            if usable and needed and fits:
                chosen += inside
                taken.update(counts)
                members[group] = []
    return tuple(sorted(chosen))
