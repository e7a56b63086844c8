"""The images that a phase asks a model about, in a secret order: the only way in which held-out images enter a sandbox.

Students know the source of the harness. If images went in class by class, or in an order that one phase shares with
another, whatever runs inside could answer by place. So an order is drawn for each run of each phase, from the
system's randomness; it stays outside, and puts the answers back in order. Which images a phase gets follows from the
set's content alone, so that results are the same in every run.
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
    """Some images as one run of one phase gets them."""

    files: tuple[Path, ...]  # in the order in which they go in
    order: tuple[int, ...]  # place -> position among what was drawn from

    def restored(self, rows: NDArray[Any], axis: int = 0) -> NDArray[Any]:
        """What the phase sent in its own order, along `axis`, in the order of what was drawn from."""
        return np.take(rows, np.argsort(self.order), axis)

    def places(self, positions: Iterable[int]) -> list[int]:
        """The places of some of the images, in ascending order, which tells nothing of theirs."""
        wanted = set(positions)
        return [place for place, position in enumerate(self.order) if position in wanted]


def drawn(files: Sequence[Path]) -> Material:
    """The files in a new secret order."""
    order = list(range(len(files)))
    _random.shuffle(order)
    return Material(tuple(files[position] for position in order), tuple(order))


def drawn_from(staged: StagedImages, indices: Sequence[int] | None = None) -> Material:
    """All images of a set, or those at `indices`, in a new secret order; positions count among `indices`."""
    chosen = range(len(staged.names)) if indices is None else indices
    return drawn([staged.folder / staged.names[index] for index in chosen])


def sample(staged: StagedImages, count: int) -> tuple[int, ...]:
    """Indices of at most `count` images of a set, drawn by its content: the same in every run and for everyone."""
    order = np.random.default_rng(int(staged.sha256, 16)).permutation(len(staged.names))
    return tuple(int(index) for index in order[:count])


def secret_sample(count: int, most: int) -> tuple[int, ...]:
    """At most `most` of the positions 0 to `count` - 1, drawn in secret; all where there are no more."""
    return tuple(_random.sample(range(count), min(count, most)))
