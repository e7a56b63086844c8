"""The classifiers without their classes that the detectors begin with.

Layers, widths and strides are facts of dusty-nv/pytorch-ssd e7b5af5 (MIT), vision/nn/.
"""

from __future__ import annotations

from torch import nn

from .blocks import Fire, InvertedResidual, depthwise_separable, normalised

# Outputs and stride of the blocks after the first convolution.
_MOBILENET_V1 = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1),
)  # fmt: skip
# Expansion, outputs, how many blocks, stride of the first of them (Sandler et al. 2018, table 2).
_MOBILENET_V2 = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
# Outputs of the convolutions, in groups; between two groups the map is halved.
_VGG = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_ROUNDED_UP = 2  # the group after which an odd side is rounded up: 75 cells become 38


def mobilenet_v1() -> nn.Sequential:
    """14 blocks to 1,024 channels, each step of 32 pixels a cell."""
    blocks, inputs = [nn.Sequential(*normalised(3, 32, 3, 2))], 32
    for outputs, stride in _MOBILENET_V1:
        blocks.append(depthwise_separable(inputs, outputs, stride))
        inputs = outputs
    return nn.Sequential(*blocks)


def mobilenet_v2() -> nn.Sequential:
    """19 blocks to 1,280 channels, at width 1.0, the only one that jetson-inference exports."""
    blocks: list[nn.Module] = [nn.Sequential(*normalised(3, 32, 3, 2, clipped=True))]
    inputs = 32
    for expansion, outputs, times, first in _MOBILENET_V2:
        for stride in (first, *[1] * (times - 1)):
            blocks.append(InvertedResidual(inputs, outputs, stride, expansion))
            inputs = outputs
    return nn.Sequential(*blocks, nn.Sequential(*normalised(inputs, 1280, 1, clipped=True)))


def vgg16() -> nn.Sequential:
    """35 layers to 1,024 channels; the two wide layers are convolutions here, the first dilated (Liu et al. 2016)."""
    layers: list[nn.Module] = []
    inputs = 3
    for group, widths in enumerate(_VGG):
        if group:
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=group - 1 == _ROUNDED_UP))
        for outputs in widths:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
            inputs = outputs
    layers += [nn.MaxPool2d(3, 1, 1), nn.Conv2d(512, 1024, 3, padding=6, dilation=6), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(1024, 1024, 1), nn.ReLU(inplace=True))


def squeezenet() -> nn.Sequential:
    """SqueezeNet 1.1: 13 layers to 512 channels. Nothing is padded before the last four."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, 2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        Fire(64, 16, 64),
        Fire(128, 16, 64),
        nn.MaxPool2d(3, 2),
        Fire(128, 32, 128),
        Fire(256, 32, 128),
        nn.MaxPool2d(3, 2),
        Fire(256, 48, 192),
        Fire(384, 48, 192),
        Fire(384, 64, 256),
        Fire(512, 64, 256),
    )
