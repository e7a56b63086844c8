"""What dusty-nv/pytorch-ssd e7b5af5 (MIT) gives for its five networks, and weights to ask it and ours for the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Facts:
    """`digest`: of names and shapes for two classes and BACKGROUND; `answers`: of `image` with `weights`."""

    tensors: int
    digest: str
    priors: int
    answers: tuple[float, ...]  # at the priors `asked`, the score of the last class and the box's left and bottom


def digest(state: Mapping[str, torch.Tensor]) -> str:
    lines = sorted(f"{name} {' '.join(map(str, tensor.shape))}" for name, tensor in state.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def weights(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Values for all tensors, from their names and shapes alone."""
    made = {}
    for name, tensor in state.items():
        shape = tuple(tensor.shape)
        if not shape:
            made[name] = torch.tensor(7)
            continue
        random = np.random.default_rng(int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))
        values = random.standard_normal(shape, np.float32)
        if len(shape) == 4:
            values *= np.sqrt(2 / np.prod(shape[1:])) / (8 if "headers" in name else 1)
        elif "running_var" in name or (name.endswith("weight") and name[:-6] + "running_var" in state):
            values = 0.8 + np.abs(values) / 4
        made[name] = torch.from_numpy(values.astype(np.float32))
    return made


def image() -> torch.Tensor:
    """(1, 3, 300, 300), wider than after pre-processing, so that many activations are above 6, where ReLU6 clips."""
    random = np.random.default_rng(1).uniform(-8, 8, (1, 3, 300, 300))
    return torch.from_numpy(random.astype(np.float32))


def asked(scores: torch.Tensor, boxes: torch.Tensor) -> list[float]:
    """Of the first image: at a prior of the first map, one of a middle map, and the last."""
    places = [101, len(scores[0]) * 9 // 10, len(scores[0]) - 1]
    return [float(value) for place in places for value in (scores[0, place, -1], *boxes[0, place, [0, 3]])]


FACTS = {
    "mb1-ssd": Facts(
        202, "4df5aeae8c772939", 3000,
        (0.29901, 0.81280, 0.16037, 0.41915, 0.75162, 1.00829, 0.14040, 0.17741, 1.01273),
    ),
    "mb1-ssd-lite": Facts(
        230, "e3ef8f86ba80872b", 3000,
        (0.26326, 0.83846, 0.19226, 0.64883, 0.77573, 1.03513, 0.62848, -0.39325, 1.35862),
    ),
    "mb2-ssd-lite": Facts(
        478, "8c5f810374b65253", 3000,
        (0.24481, 0.82875, 0.14203, 0.11686, 0.80605, 1.06902, 0.15944, 0.22363, 0.88100),
    ),
    "vgg16-ssd": Facts(
        75, "063bd640ab8f6950", 8732,
        (0.00073, 0.64660, 0.07935, 0.26480, 0.22932, 1.01490, 0.09012, 0.18291, 1.03380),
    ),
    "sq-ssd-lite": Facts(
        124, "ac662df8bd01da55", 2568,
        (0.24344, 0.83617, 0.18265, 0.49840, 0.39726, 1.29608, 0.08637, 0.36222, 0.37123),
    ),
}  # fmt: skip
