"""What every reference detector offers to its training, from whichever weights it starts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .codec import decoded
from .priors import MOBILENET, Layout, priors

SIDE = MOBILENET.image_side  # of all layouts
IMAGENET_MEAN, IMAGENET_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # torchvision's, of pixel / 255
_LAST_SPREAD = 0.01  # of a head's last weights, so that all answers start near 0


class ReferenceSsd(nn.Module, ABC):
    """Images (n, 3, 300, 300) as the layout pre-processes them, to class scores and boxes of its priors.

    The lower part of the base is never trained, so what it makes of a view is computed once.
    """

    priors: Tensor  # (priors, 4)

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.register_buffer("priors", torch.from_numpy(priors(layout).copy()), persistent=False)

    @abstractmethod
    def low_features(self, images: Tensor) -> Tensor:
        """What the part of the base gives that is never trained: (n, channels, cells, cells)."""

    @abstractmethod
    def raw(self, low: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, priors, labels), background first, and offsets (n, priors, 4) from `low_features`."""

    @abstractmethod
    def new_layers(self) -> Iterator[nn.Parameter]:
        """What starts from random numbers."""

    @abstractmethod
    def moved_base(self) -> Iterator[nn.Parameter]:
        """The pre-trained layers that fine-tuning may move."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities (n, priors, labels), background first, and corners (n, priors, 4) relative to the image."""
        logits, offsets = self.raw(self.low_features(images))
        return torch.softmax(logits, dim=-1), decoded(offsets, self.priors)


def folded(features: nn.Module) -> nn.Module:
    """The layers with each BatchNorm's statistics multiplied into the convolution before it; changed in place.

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


def start(layers: nn.Module, heads: Iterable[nn.Module]) -> None:
    """Random weights that keep the size of what passes (He et al. 2015): torch's own shrink it in every layer.

    `layers` holds what starts anew, with the heads, of whose last convolutions the answers start near 0.
    """
    for convolution in convolutions(layers):
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
    for head in heads:
        *_, last = convolutions(head)
        nn.init.normal_(last.weight, std=_LAST_SPREAD)


def channels_last(model: nn.Module) -> None:
    """Lay the weights of convolutions out as the images are, in place: channels last takes half the time."""
    for convolution in convolutions(model):
        convolution.weight.data = convolution.weight.data.contiguous(memory_format=torch.channels_last)


def convolutions(part: nn.Module) -> Iterator[nn.Conv2d]:
    """Every convolution of the part."""
    return (one for one in part.modules() if isinstance(one, nn.Conv2d))
