"""When two answers to the same images are the same but for rounding."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stages.repeatability import are_different, largest_difference

ROWS = np.asarray([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.3, 0.3, 0.4]], np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("scale", [1e-7, 1e-6, 1e-5])
def test_what_kernels_round_is_no_other_answer(scale: float) -> None:
    """A float32 network's scores differ by some units in the last place between batch sizes."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, (16, 5))
    moved = softmax(logits * (1 + scale * random.normal(0, 1, logits.shape)))
    assert not are_different(softmax(logits), moved, softmax(logits))


@pytest.mark.parametrize("size", [1.0, 1e-2, 1e-4, 1e-5])
def test_an_answer_by_chance_does_not_hide_in_small_numbers(size: float) -> None:
    random = np.random.default_rng(1)
    one, other = (softmax(size * np.eye(5)[random.integers(0, 5, 16)]) for _ in range(2))
    assert are_different(one, other, one)


def test_nor_in_a_tie_that_is_broken_by_chance() -> None:
    one = np.asarray([[0.5, 0.5 - 1e-7, 0.0], [0.1, 0.8, 0.1]], np.float32)
    other = one[:, [1, 0, 2]].copy()
    other[1] = one[1]
    assert are_different(one, other, ROWS)


def test_a_model_that_says_the_same_to_all_images_is_another_finding() -> None:
    same = np.full((4, 3), 1 / 3, np.float32)
    assert not are_different(same, same[:, ::-1] + np.float32(1e-8), same)


def test_nothing_asked_twice_is_no_difference() -> None:
    nothing = ROWS[:0]
    assert not are_different(nothing, nothing, ROWS) and largest_difference(nothing, nothing) == 0.0
