"""Trains the packaged reference detector.

The lower half of the base stays as ImageNet left it, so what it makes of each view of an image is computed once. The
new layers are trained alone at first, then the upper half of the base with them.
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
from .mobilenet_v2_ssd import MobileNetV2Ssd
from .views import Example, Views, seen, targets

BATCH = 8
NEW_RATE, BASE_RATE = 1e-3, 3e-4
WEIGHT_DECAY = 0.01
_WARM_UP = 20  # steps, at most
_LONGEST_GRADIENT = 5.0
_TRIMMED_AFTER = 40  # steps


@dataclass(frozen=True, slots=True)
class Budget:
    """How much is computed, in counts, so that a slower machine trains the same model.

    A view takes 11 ms of CPU, a head step 0.15 s and a step 0.31 s.
    """

    views: int = 3000  # of all images together
    head_steps: int = 80  # of `BATCH` views each, with the base frozen
    steps: int = 480  # of `BATCH` views each, with the upper half of the base


# `short` trains in a minute what is clearly worse: AP50 0.66 instead of 0.89 on the playing cards of docs/reference.md.
BUDGETS = {"whole": Budget(), "short": Budget(views=1200, head_steps=60, steps=200)}


@dataclass(frozen=True, slots=True)
class Trained:
    """`losses`: one of each step, those of the heads first."""

    model: MobileNetV2Ssd
    losses: tuple[float, ...]


def train(examples: Sequence[Example], classes: int, base: nn.Module, seed: int, budget: Budget) -> Trained:
    """Train on the examples, whose labels are from 1 to `classes`.

    `base`: torchvision's `mobilenet_v2().features`, which is changed. The same arguments give the same model on the
    same version of torch with as many threads. Raises `ValueError` without an object in the examples.
    """
    if not any(len(one.labels) for one in examples):
        raise ValueError("no training image has a box")
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    random = np.random.default_rng(seed)
    model = MobileNetV2Ssd(base, classes + 1)
    views = seen(model, examples, budget.views, random)
    return Trained(model.eval(), fit(model, views, budget, random))


def fit(model: MobileNetV2Ssd, views: Views, budget: Budget, random: np.random.Generator) -> tuple[float, ...]:
    """Train the model, but for its lower half; returns the loss of each step."""
    new, base = list(model.new_layers()), list(model.moved_base())
    model.requires_grad_(False)
    for parameter in new:
        parameter.requires_grad_(True)
    optimiser = torch.optim.AdamW(new, NEW_RATE, weight_decay=WEIGHT_DECAY)
    batches = _Batches(len(views), random)
    losses = _steps(model, views, batches, optimiser, budget.head_steps, lambda _: 1.0)
    for parameter in base:
        parameter.requires_grad_(True)
    optimiser.add_param_group({"params": base, "lr": BASE_RATE})
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
    model: MobileNetV2Ssd,
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


def _loss(model: MobileNetV2Ssd, views: Views, chosen: np.ndarray) -> Tensor:
    labels, wanted = targets(views, chosen, model.priors)
    logits, offsets = model.raw(*model.base_maps(views.low[chosen].float()))
    return multibox(logits, offsets, labels, wanted)
