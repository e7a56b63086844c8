"""VGG16-SSD from a classifier's weights: its convolutions, and its wide layers where the file has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..models.reference_training import BACKBONES, Backbone
from .detector import Detector
from .jetson_ssd import JetsonSsd, Pixels
from .networks import VGG16_SSD
from .reference_ssd import convolutions

FROZEN = 23  # blocks: to the end of the fourth group, whose 38 x 38 cells are the first map
_OUTPUTS, _PLACES = 4, 3  # of the wide layers every 4th output is kept, and every 3rd of the first one's 7 places


class Vgg16Start:
    """A file of VGG16's weights, opened once."""

    def __init__(self, backbone: str, file: Path) -> None:
        """`backbone`: `vgg16`, torchvision's with the wide layers, or `vgg16_notop_caffe`, Keras' without."""
        given = BACKBONES[backbone](file)
        self._convolutions = list(convolutions(given.layers))
        if given.colour == "BGR":
            first = self._convolutions[0]
            first.weight.data = first.weight.data.flip(1)
        self._pixels = _pixels(given)
        self._wide = wide_layers(torch.load(file, map_location="cpu", weights_only=True)) if backbone == "vgg16" else ()

    def __call__(self, classes: int) -> JetsonSsd:
        """The detector for so many kinds of objects. Where the file has no wide layers, they start anew."""
        detector = Detector(VGG16_SSD, classes)
        *base, first_wide, second_wide = convolutions(detector.base_net)
        for layer, given in zip(base, self._convolutions, strict=True):
            layer.load_state_dict(given.state_dict())
        wide = (first_wide, second_wide)
        for layer, (weight, bias) in zip(wide, self._wide, strict=False):  # there may be none
            layer.load_state_dict({"weight": weight, "bias": bias})
        new = [detector.extras] if self._wide else [*wide, detector.extras]
        return JetsonSsd(detector, FROZEN, new, self._pixels)


def wide_layers(state: Mapping[str, Tensor]) -> tuple[tuple[Tensor, Tensor], ...]:
    """The classifier's first two layers as convolutions: (1024, 512, 3, 3) and (1024, 1024, 1, 1), each with its bias.

    Weights are left out at equal distances, and the first convolution is dilated instead (Liu et al. 2016,
    section 3; Chen et al. 2015).
    """
    first = state["classifier.0.weight"].reshape(4096, 512, 7, 7)[::_OUTPUTS, :, ::_PLACES, ::_PLACES]
    second = state["classifier.3.weight"][::_OUTPUTS, ::_OUTPUTS, None, None]
    return (
        (first.clone(), state["classifier.0.bias"][::_OUTPUTS].clone()),
        (second.clone(), state["classifier.3.bias"][::_OUTPUTS].clone()),
    )


def _pixels(of: Backbone) -> Pixels:
    """The backbone's own pre-processing, in the order RGB."""
    (first, second, third), (one, two, three) = of.mean, of.std
    if of.colour == "BGR":
        first, third, one, three = third, first, three, one
    return Pixels(
        (first / of.scale, second / of.scale, third / of.scale), (one / of.scale, two / of.scale, three / of.scale)
    )
