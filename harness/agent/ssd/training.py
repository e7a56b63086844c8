"""Trains the packaged reference detector.

The lower part of the base stays as ImageNet left it, so what it makes of each view of an image is computed once. The
new layers are trained alone at first, then the rest of the base with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .loss import multibox
from .memory import give_back
from .reference_ssd import ReferenceSsd
from .views import Example, Views, seen, targets

BATCH = 8
WEIGHT_DECAY = 0.01
_WARM_UP = 20  # steps, at most
_LONGEST_GRADIENT = 5.0
_TRIMMED_AFTER = 40  # steps


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is computed, in counts, so that a slower machine trains the same model.

    On MobileNetV2 a view takes 11 ms of CPU, a head step 0.15 s and a step 0.31 s.
    """

    views: int = 3000  # of all images together
    head_steps: int = 80  # of `BATCH` views each, with the base frozen
    steps: int = 480  # of `BATCH` views each, with the rest of the base


@dataclass(frozen=True, slots=True)
class Rates:
    """Learning rates at their highest."""

    new: float = 1e-3
    base: float = 3e-4


_RATES = Rates()
WHOLE = Budget()  # 1,200 views, 60 and 200 steps give AP50 0.66, not 0.89, on the cards of docs/reference.md
TINY = Budget(views=8, head_steps=1, steps=1)  # learns nothing: for tests of the way from weights to files


@dataclass(frozen=True, slots=True)
class Trained:
    """`losses`: one of each step, those of the heads first."""

    model: ReferenceSsd
    losses: tuple[float, ...]


def train(
    examples: Sequence[Example],
    classes: int,
    build: Callable[[int], ReferenceSsd],
    seed: int,
    budget: Budget,
    rates: Rates = _RATES,
) -> Trained:
    """Train on the examples, whose labels are from 1 to `classes`.

    `build` makes the detector for so many classes. The same arguments give the same model on the same version of torch
    with as many threads. Raises `ValueError` without an object in the examples.
    """
    if not any(len(one.labels) for one in examples):
        raise ValueError("no training image has a box")
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    random = np.random.default_rng(seed)
    model = build(classes)
    views = seen(model, examples, budget.views, random)
    losses = fit(model, views, budget, random, rates)
    return Trained(model.eval(), losses)


def fit(
    model: ReferenceSsd, views: Views, budget: Budget, random: np.random.Generator, rates: Rates = _RATES
) -> tuple[float, ...]:
    """Train the model, but for its lower part; returns the loss of each step."""
    new, base = list(model.new_layers()), list(model.moved_base())
    model.requires_grad_(False)
    for parameter in new:
        parameter.requires_grad_(True)
    optimiser = torch.optim.AdamW(new, rates.new, weight_decay=WEIGHT_DECAY)
    batches = _Batches(len(views), random)
    losses = _steps(model, views, batches, optimiser, budget.head_steps, lambda _: 1.0)
    for parameter in base:
        parameter.requires_grad_(True)
    optimiser.add_param_group({"params": base, "lr": rates.base})
    losses += _steps(model, views, batches, optimiser, budget.steps, _falling)
    model.requires_grad_(False)
    return tuple(losses)


class _Batches:
    """Indices of views: each comes as often as any other, in an order drawn anew for each round."""

    def __init__(self, count: int, random: np.random.Generator) -> None:
        self._count, self._random = count, random
        self._left = np.empty(0, np.int64)

    def next(self) -> np.ndarray:
        while len(self._left) < BATCH:
            self._left = np.concatenate([self._left, self._random.permutation(self._count)])
        batch, self._left = self._left[:BATCH], self._left[BATCH:]
        return batch


def _steps(
    model: ReferenceSsd,
    views: Views,
    batches: _Batches,
    optimiser: torch.optim.Optimizer,
    count: int,
    share: Callable[[float], float],
) -> list[float]:
    """`share`: of the learning rate, from how much of the steps is done, 0 to 1."""
    rates = [group["lr"] for group in optimiser.param_groups]
    losses = []
    for step in range(count):
        now = share(step / count) * min(1.0, (step + 1) / _WARM_UP)
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * now
        loss = _loss(model, views, batches.next())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), _LONGEST_GRADIENT)
        optimiser.step()
        losses.append(loss.item())
        if step % _TRIMMED_AFTER == 0:
            give_back()
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate
    return losses


def _falling(done: float) -> float:
    return (1 + math.cos(math.pi * done)) / 2


def _loss(model: ReferenceSsd, views: Views, chosen: np.ndarray) -> Tensor:
    labels, wanted = targets(views, chosen, model.priors)
    logits, offsets = model.raw(views.low[chosen].float())
    return multibox(logits, offsets, labels, wanted)
