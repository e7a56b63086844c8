"""The blocks that the networks are made of. The order of layers gives the tensors their names in a checkpoint."""

from __future__ import annotations

import torch
from torch import nn


def normalised(
    inputs: int, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1, clipped: bool = False
) -> list[nn.Module]:
    """A convolution without bias, a BatchNorm and a ReLU, `clipped` at 6 or not."""
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True) if clipped else nn.ReLU(inplace=True),
    ]


def depthwise_separable(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """MobileNetV1's block: each channel by itself, then 1 x 1 over all."""
    return nn.Sequential(*normalised(inputs, inputs, 3, stride, groups=inputs), *normalised(inputs, outputs, 1))


class InvertedResidual(nn.Module):
    """MobileNetV2's block: more channels, each by itself, fewer channels; plus its input where the shapes are equal."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: float) -> None:
        super().__init__()
        inside = round(inputs * expansion)
        expanding = [] if expansion == 1 else normalised(inputs, inside, 1, clipped=True)
        self._expanding = len(expanding)
        self._adds = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            *expanding,
            *normalised(inside, inside, 3, stride, groups=inside, clipped=True),
            nn.Conv2d(inside, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def expanded(self, x: torch.Tensor) -> torch.Tensor:
        """What the layers give that make more channels, with as many cells as `x`."""
        for layer in list(self.conv)[: self._expanding]:
            x = layer(x)
        return x

    def reduced(self, inside: torch.Tensor) -> torch.Tensor:
        """What the other layers give for what `expanded` gave."""
        for layer in list(self.conv)[self._expanding :]:
            inside = layer(inside)
        return inside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The block's output (n, outputs, height / stride, width / stride)."""
        given = self.reduced(self.expanded(x))
        return x + given if self._adds else given


class Fire(nn.Module):
    """SqueezeNet's block: 1 x 1 to few channels, then 1 x 1 and 3 x 3 beside each other to `expand` channels each."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The block's output (n, 2 * expand, height, width)."""
        few = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(few).relu(), self.expand3x3(few).relu()], dim=1)


def lite(inputs: int, outputs: int, *, stride: int = 1, padding: int = 1, norm: bool = False) -> nn.Sequential:
    """The 3 x 3 convolution of the networks called lite: each channel by itself, a ReLU, then 1 x 1 over all.

    `norm`: as in MobileNetV2's heads, a BatchNorm before the ReLU, and this clipped at 6.
    """
    between = [nn.BatchNorm2d(inputs), nn.ReLU6()] if norm else [nn.ReLU()]
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, padding, groups=inputs), *between, nn.Conv2d(inputs, outputs, 1)
    )
