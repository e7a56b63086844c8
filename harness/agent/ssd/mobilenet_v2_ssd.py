"""An SSD detector on MobileNetV2, with the priors, the input and the outputs of the course's SSD-MobileNet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from .priors import MOBILENET
from .reference_ssd import IMAGENET_MEAN, IMAGENET_SPREAD, ReferenceSsd, channels_last, folded, start

PIXEL_MEAN, PIXEL_SPREAD = MOBILENET.mean[0], MOBILENET.std  # jetson-inference's input: (pixel - 127) / 128
_EXTRA_CHANNELS = (512, 256, 256, 256)  # of the maps of 5, 3, 2 and 1 cells a side; dusty-nv/pytorch-ssd's
_PRIORS_OF_A_CELL = 6


class MobileNetV2Ssd(ReferenceSsd):
    """Images (n, 3, 300, 300), RGB, (pixel - 127) / 128, to class scores and boxes of 3,000 priors.

    The base is cut in three: `low` ends in a map of 38 x 38 cells, `middle` in one of 19, `high` in one of 10.
    The first head reads the 576 channels to which block 14 expands, the second the last 1,280, as mb2-ssd-lite of
    dusty-nv/pytorch-ssd does; `extras` make the other four maps.
    """

    scale: Tensor  # this and `shift` make torchvision's input of jetson-inference's
    shift: Tensor

    def __init__(self, features: nn.Module, classes: int) -> None:
        """`features` are those of torchvision's mobilenet_v2; `classes` does not count the background."""
        super().__init__(MOBILENET)
        blocks: list[Any] = list(folded(features).children())
        expand, *rest = blocks[14].conv.children()
        self.low = nn.Sequential(*blocks[:7])
        self.middle = nn.Sequential(*blocks[7:14], expand)
        self.high = nn.Sequential(*rest, *blocks[15:])
        channels = (expand[0].out_channels, blocks[18][0].out_channels, *_EXTRA_CHANNELS)
        self.extras = nn.ModuleList(_extra(before, after) for before, after in pairwise(channels[1:]))
        self.class_heads = nn.ModuleList(_head(of, classes + 1) for of in channels)
        self.box_heads = nn.ModuleList(_head(of, 4) for of in channels)
        start(nn.ModuleList([self.extras, self.class_heads, self.box_heads]), [*self.class_heads, *self.box_heads])
        mean, spread = (torch.tensor(of).reshape(1, 3, 1, 1) * 255 for of in (IMAGENET_MEAN, IMAGENET_SPREAD))
        self.register_buffer("scale", PIXEL_SPREAD / spread, persistent=False)
        self.register_buffer("shift", (PIXEL_MEAN - mean) / spread, persistent=False)
        channels_last(self)

    def low_features(self, images: Tensor) -> Tensor:
        """The part of the base that is never trained: (n, 32, 38, 38)."""
        low: Tensor = self.low(images * self.scale + self.shift)
        return low

    def raw(self, low: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, 3000, labels), background first, and offsets (n, 3000, 4) from `low_features`."""
        middle = self.middle(low)
        maps = [middle, self.high(middle)]
        for extra in self.extras:
            maps.append(extra(maps[-1]))
        logits, offsets = (
            torch.cat([_by_prior(head(one)) for head, one in zip(heads, maps, strict=True)], dim=1)
            for heads in (self.class_heads, self.box_heads)
        )
        return logits, offsets

    def new_layers(self) -> Iterator[nn.Parameter]:
        """The layers after the base, and the heads."""
        for part in (self.extras, self.class_heads, self.box_heads):
            yield from part.parameters()

    def moved_base(self) -> Iterator[nn.Parameter]:
        """The base from the map of 38 x 38 cells on."""
        yield from self.middle.parameters()
        yield from self.high.parameters()


def _extra(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after // 2, 1),
        nn.ReLU6(),
        nn.Conv2d(after // 2, after, 3, stride=2, padding=1),
        nn.ReLU6(),
    )


def _head(channels: int, values: int) -> nn.Sequential:
    """A depthwise and a pointwise convolution (SSDLite; Sandler et al. 2018)."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
        nn.ReLU6(),
        nn.Conv2d(channels, _PRIORS_OF_A_CELL * values, 1),
    )


def _by_prior(of_cells: Tensor) -> Tensor:
    """(n, 6 * values, rows, columns) to (n, rows * columns * 6, values)."""
    by_cell = of_cells.permute(0, 2, 3, 1)
    return by_cell.reshape(len(by_cell), -1, of_cells.shape[1] // _PRIORS_OF_A_CELL)
