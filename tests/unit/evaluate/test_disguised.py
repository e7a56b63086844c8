"""Copies in disguise are named; honest models that learned from the same images are not.

The models are real: heads trained by gradient descent on one set of features, as students train them on a frozen
backbone. Figures for a real backbone: benchmarks/copies.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch

from harness.grading.similarity.copies import Known, copies
from harness.grading.similarity.disguised import Comparable, disguised
from harness.grading.similarity.likeness import (
    centred,
    channels_apart,
    left_in_common,
    products,
    same_numbers,
)

torch.set_num_threads(1)
CLASSES, INPUTS, IMAGES = ("ball", "bottle", "goblet", "mug", "vase"), 128, 100
Head = tuple[np.ndarray, np.ndarray]


@cache
def features() -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Training features with their classes, and held-out ones: noisy means through a fixed random layer."""
    random = np.random.default_rng(0)
    means, mixing = random.normal(size=(5, 24)), random.normal(size=(24, INPUTS)) / 5
    labels = np.repeat(np.arange(5), IMAGES // 5)

    def draw() -> np.ndarray:
        return np.maximum((means[labels] + 0.9 * random.normal(size=(IMAGES, 24))) @ mixing, 0).astype(np.float32)

    return torch.tensor(draw()), torch.tensor(labels), draw()


@cache
def trained(seed: int) -> Head:
    """A head of its own beginning, rate, length and order of training."""
    lot = np.random.default_rng(seed)
    given, labels, _ = features()
    torch.manual_seed(seed)
    layer = torch.nn.Linear(INPUTS, 5)
    optimiser = torch.optim.Adam(layer.parameters(), lr=float(lot.choice([1e-3, 3e-3, 1e-2])))
    for _ in range(int(lot.choice([10, 20, 40]))):
        for chosen in torch.randperm(IMAGES).split(25):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(layer(given[chosen]), labels[chosen]).backward()
            optimiser.step()
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


def answers(head: Head) -> np.ndarray:
    logits = features()[2] @ head[0].T + head[1]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def model(head: Head, *, answering: Head | None = None, shows_weights: bool = True) -> Comparable:
    """`answering`: gives the answers, where a backbone with permuted channels stands before the head."""
    weights = head[0].astype(np.float32)
    return Comparable(CLASSES, answers(answering or head), (lambda: weights) if shows_weights else None)


def noise(share: float) -> Callable[[np.ndarray], np.ndarray]:
    random = np.random.default_rng(5)
    return lambda w: w * (1 + share * random.normal(size=w.shape))


DISGUISES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "noise 0.01 %": noise(1e-4),
    "noise 1 %": noise(0.01),
    "noise 5 %": noise(0.05),
    "added noise 5 %": lambda w: w + 0.05 * w.std() * np.random.default_rng(6).normal(size=w.shape),
    "pruned 30 %": lambda w: np.where(np.abs(w) < np.quantile(np.abs(w), 0.3), 0, w),
    "pruned 60 %": lambda w: np.where(np.abs(w) < np.quantile(np.abs(w), 0.6), 0, w),
    "float16": lambda w: w.astype(np.float16),
    "bfloat16": lambda w: torch.tensor(w).bfloat16().float().numpy(),
    "scaled": lambda w: w * 1.7,
    "one number added to all classes": lambda w: w + np.random.default_rng(7).normal(size=w.shape[1]),
}


@pytest.mark.parametrize("class_size", [1, 12])
@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguised_copy_is_named_with_its_original_and_nobody_else(disguise: str, class_size: int):
    others = [trained(seed) for seed in range(class_size)]
    copy = (DISGUISES[disguise](others[0][0]), others[0][1])
    found = disguised([*map(model, others), model(copy)])
    assert found[0] is not None and found[0].others == (class_size,)
    assert found[-1] is not None and found[-1].others == (0,)
    assert found[1:-1] == [None] * (class_size - 1)


@pytest.mark.parametrize("share", [0, 0.01, 0.05])
def test_channels_in_another_order_are_found_again(share: float):
    head = trained(0)
    order = np.random.default_rng(8).permutation(INPUTS)
    copy = (noise(share)(head[0][:, order]), head[1])
    found = disguised([model(head), model(trained(1)), model(copy, answering=head)])
    assert found[1] is None
    assert found[0] is not None and found[0].others == (2,)
    assert (
        channels_apart(centred(head[0]), centred(copy[0]))
        < 0.35
        < channels_apart(centred(head[0]), centred(trained(1)[0]))
    )


def test_a_copy_that_shows_no_weights_is_seen_in_its_answers():
    """As a model that runs natively: what it says of its weights is not believed."""
    others = [trained(seed) for seed in range(12)]
    copy = (noise(0.05)(others[3][0]), others[3][1])
    found = disguised([*map(model, others), model(copy, shows_weights=False)])
    assert found[-1] is not None and found[-1].others == (3,) and "answers" in found[-1].how


def test_honest_models_of_a_class_are_not_named():
    assert disguised([model(trained(seed)) for seed in range(20)]) == [None] * 20


@pytest.mark.parametrize("count", [2, 3, 5])
def test_honest_models_of_a_small_class_are_not_named(count: int):
    assert disguised([model(trained(seed)) for seed in range(count)]) == [None] * count


def test_a_ring_of_copies_does_not_hide_itself():
    """Each is compared with the class without those that are nearly it."""
    honest = [trained(seed) for seed in range(12)]
    ring = [(noise(0.03)(honest[0][0]), honest[0][1]) for _ in range(9)]
    found = disguised([model(head) for head in (*honest, *ring)])
    assert [one is not None for one in found] == [True] + [False] * 11 + [True] * 9


def test_where_training_leads_everyone_to_one_solution_likeness_is_no_sign():
    """Fourteen that went on until nothing changed; two of them are no more alike than all are."""
    random = np.random.default_rng(9)
    weight, bias = trained(0)
    solutions = [(weight + 1e-3 * weight.std() * random.normal(size=weight.shape), bias) for _ in range(14)]
    assert disguised([model(head) for head in solutions]) == [None] * 14


def test_classes_in_another_order_are_the_same_model():
    head = trained(0)
    order = [3, 0, 4, 1, 2]
    noisy = noise(0.05)(head[0]).astype(np.float32)
    labels = tuple(CLASSES[index] for index in order)
    first, second = copies(
        [
            Known("a", frozenset(), CLASSES, answers(head), lambda: head[0]),
            Known("b", frozenset(), labels, answers((noisy, head[1]))[:, order], lambda: noisy[order]),
        ]
    )
    assert first is not None and first.disguised and first.hand_ins == ("b",)
    assert second is not None and second.hand_ins == ("a",)


def test_a_layer_of_a_few_numbers_says_nothing():
    """Colour means to logits, 3 by 3: honest ones are all but equal."""
    weights = [np.eye(3, dtype=np.float32) * 20 + np.float32(seed) / 100 for seed in range(3)]
    rows = np.full((24, 3), 1 / 3, np.float32)
    assert disguised([Comparable(("a", "b", "c"), rows, lambda w=w: w) for w in weights]) == [None] * 3


def test_odd_weights_are_nothing_special():
    zero, one = np.zeros((5, 40), np.float32), np.ones((5, 40), np.float32)
    rows = np.full((60, 5), 0.2, np.float32)
    assert disguised([Comparable(CLASSES, rows, lambda w=w: w) for w in (zero, one, zero)]) == [None] * 3
    wide = np.random.default_rng(0).normal(size=(2, 5, 20_000)).astype(np.float32)
    assert disguised([Comparable(CLASSES, rows[:0], lambda w=w: w) for w in wide]) == [None] * 2
    assert disguised([Comparable(CLASSES, rows[:0], lambda w=w: w) for w in (wide[0], wide[0] * 1.01)])[0] is not None
    assert disguised([]) == []


def test_same_numbers_ignores_a_factor_and_zeros():
    weights = np.random.default_rng(0).normal(size=(5, 64)).astype(np.float32)
    pruned = np.where(np.abs(weights) < 0.5, 0, weights) * -3
    assert same_numbers(weights, pruned) == 1.0
    assert same_numbers(weights, np.random.default_rng(1).normal(size=(5, 64)).astype(np.float32)) < 0.05
    assert same_numbers(weights, weights * 0) == 0.0


def test_what_a_class_has_in_common_is_taken_out():
    random = np.random.default_rng(0)
    shared = random.normal(size=400)
    own = random.normal(size=(20, 400)) * 0.3
    vectors = shared + own
    vectors[19] = vectors[0] + 0.02 * random.normal(size=400)
    cosines = products(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    near = cosines > 0.997
    assert cosines[1, 2] > 0.85
    assert abs(left_in_common(cosines, 1, 2, near)[0]) < 0.3
    assert left_in_common(cosines, 0, 19, near)[0] > 0.95
    assert left_in_common(cosines[:2, :2], 0, 1, near[:2, :2]) == (0.0, 0)
