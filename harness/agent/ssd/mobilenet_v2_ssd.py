"""An SSD detector on MobileNetV2, with the priors, the input and the outputs of the course's SSD-MobileNet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .codec import decoded
from .priors import MOBILENET, priors

SIDE = MOBILENET.image_side
PIXEL_MEAN, PIXEL_SPREAD = 127.0, 128.0  # jetson-inference's input: (pixel - 127) / 128
_IMAGENET_MEAN, _IMAGENET_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # torchvision's, of pixel / 255
_EXTRA_CHANNELS = (512, 256, 256, 256)  # of the maps of 5, 3, 2 and 1 cells a side; dusty-nv/pytorch-ssd's
_PRIORS_OF_A_CELL = 6
_LAST_SPREAD = 0.01  # of a head's last weights, so that all answers start near 0


class MobileNetV2Ssd(nn.Module):
    """Images (n, 3, 300, 300), RGB, (pixel - 127) / 128, to class scores and boxes of 3,000 priors.

    The base is cut in three: `low` ends in a map of 38 x 38 cells, `middle` in one of 19, `high` in one of 10.
    The first head reads the 576 channels to which block 14 expands, the second the last 1,280, as mb2-ssd-lite of
    dusty-nv/pytorch-ssd does; `extras` make the other four maps.
    """

    priors: Tensor  # (3000, 4)
    scale: Tensor  # this and `shift` make torchvision's input of jetson-inference's
    shift: Tensor

    def __init__(self, features: nn.Module, classes: int) -> None:
        """`features` are those of torchvision's mobilenet_v2; `classes` counts the background."""
        super().__init__()
        blocks: list[Any] = list(folded(features).children())
        expand, *rest = blocks[14].conv.children()
        self.low = nn.Sequential(*blocks[:7])
        self.middle = nn.Sequential(*blocks[7:14], expand)
        self.high = nn.Sequential(*rest, *blocks[15:])
        channels = (expand[0].out_channels, blocks[18][0].out_channels, *_EXTRA_CHANNELS)
        self.extras = nn.ModuleList(_extra(before, after) for before, after in pairwise(channels[1:]))
        self.class_heads = nn.ModuleList(_head(of, classes) for of in channels)
        self.box_heads = nn.ModuleList(_head(of, 4) for of in channels)
        _start(self.extras, self.class_heads, self.box_heads)
        self.register_buffer("priors", torch.from_numpy(priors(MOBILENET).copy()), persistent=False)
        mean, spread = (torch.tensor(of).reshape(1, 3, 1, 1) * 255 for of in (_IMAGENET_MEAN, _IMAGENET_SPREAD))
        self.register_buffer("scale", PIXEL_SPREAD / spread, persistent=False)
        self.register_buffer("shift", (PIXEL_MEAN - mean) / spread, persistent=False)
        for convolution in _convolutions(self):
            convolution.weight.data = convolution.weight.data.contiguous(memory_format=torch.channels_last)

    def low_features(self, images: Tensor) -> Tensor:
        """The part of the base that is never trained: (n, 32, 38, 38)."""
        low: Tensor = self.low(images * self.scale + self.shift)
        return low

    def base_maps(self, low: Tensor) -> tuple[Tensor, Tensor]:
        """The base's maps of 19 and 10 cells a side, from `low_features`."""
        middle = self.middle(low)
        return middle, self.high(middle)

    def raw(self, middle: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, 3000, classes) and offsets (n, 3000, 4) from `base_maps`."""
        maps = [middle, high]
        for extra in self.extras:
            maps.append(extra(maps[-1]))
        logits, offsets = (
            torch.cat([_by_prior(head(one)) for head, one in zip(heads, maps, strict=True)], dim=1)
            for heads in (self.class_heads, self.box_heads)
        )
        return logits, offsets

    def new_layers(self) -> Iterator[nn.Parameter]:
        """What starts from random numbers."""
        for part in (self.extras, self.class_heads, self.box_heads):
            yield from part.parameters()

    def moved_base(self) -> Iterator[nn.Parameter]:
        """The pre-trained layers that fine-tuning may move."""
        yield from self.middle.parameters()
        yield from self.high.parameters()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities (n, 3000, classes), background first, and corners (n, 3000, 4) relative to the image."""
        logits, offsets = self.raw(*self.base_maps(self.low_features(images)))
        return torch.softmax(logits, dim=-1), decoded(offsets, self.priors)


def folded(features: nn.Module) -> nn.Module:
    """The layers with each BatchNorm's ImageNet statistics multiplied into the convolution before it; changed in place.

    A few images are too few for statistics of their own, and each step is a third cheaper.
    """
    features.eval()
    for module in list(features.modules()):
        if isinstance(module, nn.Sequential):
            for (name, one), (after, norm) in pairwise(list(module.named_children())):
                if isinstance(one, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    setattr(module, name, fuse_conv_bn_eval(one, norm))
                    setattr(module, after, nn.Identity())
    return features


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


def _start(*parts: nn.Module) -> None:
    """Random weights that keep the size of what passes (He et al. 2015): torch's own shrink it in every layer."""
    for convolution in (one for part in parts for one in _convolutions(part)):
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
    for head in (head for part in parts[1:] for head in part.children()):
        *_, last = _convolutions(head)
        nn.init.normal_(last.weight, std=_LAST_SPREAD)


def _convolutions(part: nn.Module) -> Iterator[nn.Conv2d]:
    return (one for one in part.modules() if isinstance(one, nn.Conv2d))


def _by_prior(of_cells: Tensor) -> Tensor:
    """(n, 6 * values, rows, columns) to (n, rows * columns * 6, values)."""
    by_cell = of_cells.permute(0, 2, 3, 1)
    return by_cell.reshape(len(by_cell), -1, of_cells.shape[1] // _PRIORS_OF_A_CELL)
