"""Orders and batches are new each time; an answer that is kept comes from a full batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.agent.images.preprocessing import ONES, ZEROS, Rule
from harness.agent.models.asking import BATCH, Asker, filled_batches, small_batches
from harness.agent.models.loaded_model import Native, Unusable

RULE = Rule(8, 8, "RGB", 1.0, ZEROS, ONES, "stretch")
REQUEST = {"layout": "NCHW", "input_dtype": "float32", "dynamic_batch": True, "output_kind": "logits", "labels": 3}


@pytest.mark.parametrize("count", [0, 1, 3, 7, 8, 9, 16, 23])
def test_every_place_is_asked_once_and_batches_are_full(count: int) -> None:
    batches = filled_batches(count, BATCH)
    assert {len(batch) for batch in batches} <= {min(count, BATCH)}
    places = [place for batch in batches for place in batch]
    assert places[:count] != [] or count == 0
    assert sorted(places[:count]) == list(range(count))
    assert all(len(set(batch)) == len(batch) for batch in batches)


@pytest.mark.parametrize("below", [8, 3, 1])
def test_second_answers_come_from_smaller_batches(below: int) -> None:
    batches = small_batches(range(16), below)
    assert sorted(place for batch in batches for place in batch) == list(range(16))
    assert max(map(len, batches)) <= max(1, below - 1)


def test_orders_are_drawn_anew() -> None:
    assert len({tuple(map(tuple, filled_batches(24, BATCH))) for _ in range(20)}) == 20
    assert len({tuple(map(tuple, small_batches(range(24), 8))) for _ in range(20)}) == 20


class Colours:
    """Answers each image by its own colour, and keeps the sizes of the batches."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, batch: Any) -> Any:
        self.sizes.append(len(batch))
        return batch.mean(axis=(2, 3)) / 50


def asker(answer: Any, **changes: Any) -> Asker:
    native = Native(answer, None, "NCHW", 8, 8, "float32", "keras-raw", True)
    return Asker(native, RULE, REQUEST | changes)


def image(place: int) -> Any:
    return np.full((8, 8, 3), (place, 2 * place, 100), np.uint8)


def test_answers_come_back_at_their_places() -> None:
    model = Colours()
    rows, again = asker(model).twice(20, [3, 11, 12], image)
    expected = np.stack([image(place).reshape(-1, 3).mean(axis=0) / 50 for place in range(20)])
    expected = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
    assert np.allclose(rows, expected, atol=1e-6)
    assert np.allclose(again, expected[[3, 11, 12]], atol=1e-6)
    assert model.sizes.count(BATCH) == 3 and sum(size for size in model.sizes if size < BATCH) == 3


def test_a_model_of_one_image_at_a_time_is_asked_so() -> None:
    model = Colours()
    rows, again = asker(model, dynamic_batch=False).twice(5, [4], image)
    assert rows.shape == (5, 3) and again.shape == (1, 3) and model.sizes == [1] * 6


def test_another_number_of_scores_is_refused() -> None:
    with pytest.raises(Unusable, match="gives 3 scores"):
        asker(Colours(), labels=4).all(3, image)
