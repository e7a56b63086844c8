"""The five networks that jetson-inference's `train_ssd.py` trains.

Which maps feed the heads, and widths, are facts of dusty-nv/pytorch-ssd e7b5af5 (MIT), vision/ssd/.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import nn

from .bases import mobilenet_v1, mobilenet_v2, squeezenet, vgg16
from .blocks import InvertedResidual, lite
from .detector import Network
from .priors import MOBILENET, SQUEEZENET, VGG

_conv_3x3 = partial(nn.Conv2d, kernel_size=3, padding=1)
_conv_1x1 = partial(nn.Conv2d, kernel_size=1)
# Channels before, between and after of the blocks after the base.
_AFTER_1024 = ((1024, 256, 512), (512, 128, 256), (256, 128, 256), (256, 128, 256))
_AFTER_512 = ((512, 256, 512), (512, 256, 512), (512, 128, 256), (256, 128, 256), (256, 128, 256))


def _plain_extras(unpadded: int) -> Sequence[nn.Module]:
    """1 x 1, then 3 x 3 at half the cells; the last `unpadded` blocks instead lose one cell at each border."""
    halving = len(_AFTER_1024) - unpadded
    return [
        nn.Sequential(
            nn.Conv2d(before, between, 1),
            nn.ReLU(),
            nn.Conv2d(between, after, 3, 2, 1) if place < halving else nn.Conv2d(between, after, 3),
            nn.ReLU(),
        )
        for place, (before, between, after) in enumerate(_AFTER_1024)
    ]


def _lite_extras(widths: Sequence[tuple[int, int, int]], first_padding: int) -> Sequence[nn.Module]:
    """The same with lite convolutions, and no ReLU after them."""
    return [
        nn.Sequential(
            nn.Conv2d(before, between, 1),
            nn.ReLU(),
            lite(between, after, stride=2, padding=1 if place else first_padding),
        )
        for place, (before, between, after) in enumerate(widths)
    ]


def _inverted_extras() -> Sequence[nn.Module]:
    return [
        InvertedResidual(1280, 512, 2, 0.2),
        InvertedResidual(512, 256, 2, 0.25),
        InvertedResidual(256, 256, 2, 0.5),
        InvertedResidual(256, 64, 2, 0.25),
    ]


MB1_SSD = Network(
    "mb1-ssd", MOBILENET, mobilenet_v1, (11, 13), None, (512, 1024, 512, 256, 256, 256), False,
    partial(_plain_extras, 0), _conv_3x3, _conv_3x3,
)  # fmt: skip
MB1_SSD_LITE = Network(
    "mb1-ssd-lite", MOBILENET, mobilenet_v1, (11, 13), None, (512, 1024, 512, 256, 256, 256), False,
    partial(_lite_extras, _AFTER_1024, 1), lite, _conv_1x1,
)  # fmt: skip
MB2_SSD_LITE = Network(
    "mb2-ssd-lite", MOBILENET, mobilenet_v2, (18,), 14, (576, 1280, 512, 256, 256, 64), False,
    _inverted_extras, partial(lite, norm=True), _conv_1x1,
)  # fmt: skip
VGG16_SSD = Network(
    "vgg16-ssd", VGG, vgg16, (22, 34), None, (512, 1024, 512, 256, 256, 256), True,
    partial(_plain_extras, 2), _conv_3x3, _conv_3x3,
)  # fmt: skip
SQ_SSD_LITE = Network(
    "sq-ssd-lite", SQUEEZENET, squeezenet, (11,), None, (512, 512, 512, 256, 256, 256), False,
    partial(_lite_extras, _AFTER_512, 2), lite, _conv_1x1,
)  # fmt: skip
NETWORKS = {one.name: one for one in (MB1_SSD, MB1_SSD_LITE, MB2_SSD_LITE, VGG16_SSD, SQ_SSD_LITE)}
