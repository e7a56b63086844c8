"""What the training sees: views of the images, as the frozen layers see them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from .augmentation import Boxes, Labels, view
from .codec import encoded
from .matching import matched
from .memory import give_back
from .priors import MOBILENET, Layout
from .reference_ssd import ReferenceSsd

_TOGETHER = 2  # views in the frozen layers: their maps then stay in memory that the process has, and need no new pages
_TRIMMED_AFTER = 32  # views


@dataclass(frozen=True, slots=True)
class Example:
    """An annotated image."""

    image: Image.Image  # RGB
    boxes: Boxes
    labels: Labels


@dataclass(frozen=True, slots=True)
class Views:
    """Views of training images and their objects."""

    low: Tensor  # (views, channels, cells, cells) float16
    boxes: tuple[Tensor, ...]  # each (objects, 4)
    labels: tuple[Tensor, ...]  # each (objects,)
    objects: Tensor  # (views, priors) int16: of each prior the index of its object, or -1

    def __len__(self) -> int:
        return len(self.low)


def as_input(pixels: NDArray[np.uint8], layout: Layout = MOBILENET) -> Tensor:
    """Images (n, 300, 300, 3), RGB, as the network takes them; channels last in memory, which takes half the time."""
    scaled = (torch.from_numpy(pixels.astype(np.float32)) - torch.tensor(layout.mean)) / layout.std
    return scaled.permute(0, 3, 1, 2)


def seen(model: ReferenceSsd, examples: Sequence[Example], count: int, random: np.random.Generator) -> Views:
    """`count` views, of each example as many as of any other, or one more."""
    rounds = math.ceil(count / len(examples))
    turns = np.concatenate([random.permutation(len(examples)) for _ in range(rounds)])[:count]
    low: Tensor | None = None
    objects = torch.empty((count, len(model.priors)), dtype=torch.int16)
    boxes, labels = [], []
    for start in range(0, count, _TOGETHER):
        of = [examples[i] for i in turns[start : start + _TOGETHER]]
        drawn = [view(one.image, one.boxes, one.labels, random) for one in of]
        with torch.inference_mode():
            found = model.low_features(as_input(np.stack([one.pixels for one in drawn]), model.layout))
        if low is None:
            low = torch.empty((count, *found.shape[1:]), dtype=torch.float16, memory_format=torch.channels_last)
        low[start : start + len(drawn)] = found
        boxes += [torch.from_numpy(one.boxes) for one in drawn]
        labels += [torch.from_numpy(one.labels) for one in drawn]
        for place, of_view in enumerate(boxes[start:], start):
            objects[place] = matched(of_view, model.priors)
        if start % _TRIMMED_AFTER == 0:
            give_back()
    give_back()
    assert low is not None
    return Views(low, tuple(boxes), tuple(labels), objects)


def targets(views: Views, chosen: NDArray[np.int64], priors: Tensor) -> tuple[Tensor, Tensor]:
    """Of the chosen views each prior's label (n, priors), 0 for the background, and its offsets (n, priors, 4)."""
    labels, wanted = [], []
    for i in chosen:
        of_prior = views.objects[i].long()  # -1 takes the last row: the background
        labels.append(torch.cat([views.labels[i], torch.zeros(1, dtype=torch.int64)])[of_prior])
        corners = torch.cat([views.boxes[i], torch.tensor([[0.0, 0.0, 1.0, 1.0]])])[of_prior]
        wanted.append(encoded(corners, priors))
    return torch.stack(labels), torch.stack(wanted)
