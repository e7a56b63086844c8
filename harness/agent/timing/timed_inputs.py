"""How many different images the timed queries cycle through, and which of them each query holds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images.preprocessing import Rule, model_input
from .scenarios import in_random_turns

_FEWEST, _MOST = 16, 64
_BYTES = 40_000_000  # of all prepared inputs beyond the fewest, since the model's memory is measured too
_BATCHES = 8  # different batches of several images, at least


def how_many(models: Iterable[dict[str, Any]]) -> int:
    """For how many images the inputs of each model (`rule`, `input_dtype`) fit into the allowed memory."""
    largest: int = max(
        3 * m["rule"]["width"] * m["rule"]["height"] * np.dtype(m["input_dtype"]).itemsize for m in models
    )
    return min(_MOST, max(_FEWEST, _BYTES // largest))


def prepared(model: dict[str, Any], rule: Rule, images: Sequence[NDArray[np.uint8]]) -> NDArray[Any]:
    """The input of one query: decoded images of one size, in the model's `layout` and `input_dtype`."""
    return model_input(np.stack(images), rule, model["layout"], model["input_dtype"])


def queries(images: int, samples: int) -> list[list[int]]:
    """Different queries of `samples` image indices each, which use every image."""
    if samples == 1:
        return [[number] for number in range(images)]
    turns = in_random_turns(images)
    return [list(islice(turns, samples)) for _ in range(max(_BATCHES, math.ceil(images / samples)))]
