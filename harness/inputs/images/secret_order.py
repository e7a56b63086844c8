"""The only way in which held-out images enter a sandbox: a secret order, drawn for each run of each phase.

Students know the source of the harness. If images entered class by class, or in the same order in two phases, code
inside could answer by position. So the order is drawn from the system's randomness; it stays outside, and is used to
put the answers back in order. The choice of images depends on the set's content alone, so that results are the same in
every run.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.inputs.images.held_out import StagedImages

_random = secrets.SystemRandom()


@dataclass(frozen=True, slots=True)
class Material:
    """Some images in the order for one run of one phase."""

    files: tuple[Path, ...]  # in the drawn order
    order: tuple[int, ...]  # place in the drawn order -> position in the original

    def restored(self, rows: NDArray[Any], axis: int = 0) -> NDArray[Any]:
        """The phase's rows (along `axis`) in the original order."""
        return np.take(rows, np.argsort(self.order), axis)

    def places(self, positions: Iterable[int]) -> list[int]:
        """The places of some positions, in ascending order, which reveals nothing about the images."""
        wanted = set(positions)
        return [place for place, position in enumerate(self.order) if position in wanted]


def drawn(files: Sequence[Path]) -> Material:
    """The files in a new secret order, as `Material`."""
    order = list(range(len(files)))
    _random.shuffle(order)
    return Material(tuple(files[position] for position in order), tuple(order))


def drawn_from(staged: StagedImages, indices: Sequence[int] | None = None) -> Material:
    """All images of a set, or those at `indices`, in a new secret order; positions refer to `indices`."""
    chosen = range(len(staged.names)) if indices is None else indices
    return drawn(staged.files(chosen))


def sample(staged: StagedImages, count: int) -> tuple[int, ...]:
    """Indices of at most `count` images, determined by the set's content: the same in every run and for everyone."""
    order = np.random.default_rng(int(staged.sha256, 16)).permutation(len(staged.names))
    return tuple(int(index) for index in order[:count])


def secret_sample(count: int, most: int) -> tuple[int, ...]:
    """At most `most` of the positions 0 to `count` - 1, drawn in secret; all if there are no more."""
    return tuple(_random.sample(range(count), min(count, most)))
