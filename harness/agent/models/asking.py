"""Draws the order and the batches in which a model is asked, anew each time, so that a position tells it nothing.

An answer that is kept comes from a batch of a fixed size, filled up with repeated images: float32 kernels round
differently for other sizes, and results must be the same in every run, whatever the order.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images.preprocessing import Rule, model_input
from .loaded_model import Answers, Native, Unusable, answers, probabilities

BATCH = 8  # images; VGG16's activations take 0.1 GB an image

Pixels = NDArray[np.uint8]
ImageAt = Callable[[int], Pixels]  # index -> the image as the model sees it

_random = random.SystemRandom()


class Asker:
    """Asks a model about images, pre-processed by a request's rule."""

    def __init__(self, model: Native, rule: Rule, request: dict[str, Any], ends: float = math.inf) -> None:
        """`ends`: the moment (monotonic clock) from which `Unusable` is raised."""
        self._model, self._rule, self._ends = model, rule, ends
        self._layout, self._dtype = request["layout"], request["input_dtype"]
        self._together, self._kind, self._labels = request["dynamic_batch"], request["output_kind"], request["labels"]
        self.asked = 0  # images so far

    def all(self, count: int, image: ImageAt) -> Answers:
        """Probabilities for the images 0 to `count` - 1, shape (count, classes)."""
        return self.twice(count, (), image)[0]

    def twice(self, count: int, again: Sequence[int], image: ImageAt) -> tuple[Answers, Answers]:
        """The same, and second answers for the images `again`, asked at another position and in smaller batches.

        The batches of first and second answers are shuffled together.
        """
        size = BATCH if self._together else 1
        batches = [(places, True) for places in filled_batches(count, size)]
        batches += [(places, False) for places in small_batches(again, size)]
        _random.shuffle(batches)
        kept, second = (np.zeros((many, self._labels), np.float32) for many in (count, count))
        for places, first in batches:
            (kept if first else second)[places] = self._rows(places, image)
        return probabilities(kept, self._kind), probabilities(second[list(again)], self._kind)

    def _rows(self, places: Sequence[int], image: ImageAt) -> Answers:
        if time.monotonic() > self._ends:
            raise Unusable("the model is too slow for this")
        given = np.stack([image(place) for place in places])
        rows = answers(self._model, model_input(given, self._rule, self._layout, self._dtype), together=self._together)
        if rows.shape[1] != self._labels:
            raise Unusable(f"it now gives {rows.shape[1]} scores, and gave {self._labels} before")
        self.asked += len(places)
        return rows


def filled_batches(count: int, size: int) -> list[list[int]]:
    """The indices 0 to `count` - 1 in a new random order, in batches of `size`, or of `count` where that is less.

    The last batch is filled up with indices of other batches.
    """
    size = min(size, count)
    order = _shuffled(range(count))
    if missing := -count % size if size else 0:
        order += _random.sample(order[: count - count % size], missing)
    return [order[start : start + size] for start in range(0, len(order), size)] if size else []


def small_batches(places: Sequence[int], below: int) -> list[list[int]]:
    """The indices in a new random order, in batches of random sizes, smaller than `below` where possible."""
    order, batches = _shuffled(places), []
    while order:
        size = _random.randint(1, max(1, below - 1))
        batches.append(order[:size])
        del order[:size]
    return batches


def _shuffled(places: Sequence[int]) -> list[int]:
    order = list(places)
    _random.shuffle(order)
    return order
