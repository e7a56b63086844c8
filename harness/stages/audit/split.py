"""Selects the images to withhold from a student's data set before the notebook runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray


def withhold(
    shown: Sequence[Set[str]],
    groups: Sequence[int] | NDArray[np.int64],
    may: Sequence[bool],
    *,
    fraction: float,
    per_class: int,
    seed: int,
) -> tuple[int, ...]:
    """The sorted indices of a seeded part of each class, in whole groups: a group is never divided.

    `shown`: the classes of each image; it counts for each of them. The part has `fraction` of each class, at least
    `per_class` images, but never more than half, which is left to train on. The rarest class chooses first (Sechidis,
    Tsoumakas and Vlahavas, 2011), since others have more images to choose from.
    `may`: whether an image can be graded on; a group with one that cannot stays in the training part. A class whose
    images are mostly one group yields too few.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[int(group)].append(index)
    totals = Counter(label for labels in shown for label in labels)
    wanted = {label: min(max(per_class, round(fraction * n)), n // 2) for label, n in totals.items()}
    most = {label: n // 2 for label, n in totals.items()}
    random = np.random.default_rng(seed)
    order = list(members)
    random.shuffle(order)
    counts = {group: Counter(label for index in members[group] for label in shown[index]) for group in order}
    having: dict[str, list[int]] = defaultdict(list)
    for group in order:
        if all(may[index] and shown[index] for index in members[group]):
            for label in counts[group]:
                having[label].append(group)
    taken: Counter[str] = Counter()
    chosen: set[int] = set()
    for limit in (wanted, most):  # first groups that fit; then, if these are too few, larger ones
        for rarest in sorted(having, key=lambda label: (totals[label], label)):
            for group in having[rarest]:
                if taken[rarest] >= wanted[rarest]:
                    break
                fits = all(taken[label] + n <= limit[label] for label, n in counts[group].items())
                if group not in chosen and fits:
                    chosen.add(group)
                    taken.update(counts[group])
    return tuple(sorted(index for group in chosen for index in members[group]))


def balanced(shown: Sequence[Set[str]], order: Sequence[int], most: int) -> tuple[int, ...]:
    """The sorted indices of at most `most` images of `order`, as many of each class as can be.

    The class that has the fewest so far is next; of its images the first in `order`.
    """
    waiting: dict[str, list[int]] = defaultdict(list)
    for index in order:
        for label in shown[index]:
            waiting[label].append(index)
    taken: Counter[str] = Counter()
    chosen: set[int] = set()
    while waiting and len(chosen) < most:
        label = min(waiting, key=lambda one: (taken[one], one))
        while waiting[label] and waiting[label][0] in chosen:
            waiting[label].pop(0)
        if not waiting[label]:
            del waiting[label]
            continue
        index = waiting[label].pop(0)
        chosen.add(index)
        taken.update(shown[index])
    return tuple(sorted(chosen))
