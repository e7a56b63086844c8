"""A detector of any of the networks: image in, scores and boxes for every prior out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from ..images.preprocessing import Rule
from .blocks import InvertedResidual
from .codec import decoded
from .priors import Layout, priors


@dataclass(frozen=True, slots=True)
class Network:
    """What a detector is made of. Blocks of the base are counted from 0."""

    name: str  # what `train_ssd.py --net` calls it
    layout: Layout
    base: Callable[[], nn.Sequential]
    taps: tuple[int, ...]  # after these blocks the base's output is a feature map
    opened: int | None  # of this block, MobileNetV2's, what is inside is the first feature map
    channels: tuple[int, ...]  # of the six feature maps
    normalised: bool  # whether a BatchNorm stands before the heads of the first map
    extras: Callable[[], Sequence[nn.Module]]  # the blocks after the base, each of which gives a feature map
    head: Callable[[int, int], nn.Module]  # channels in and out
    last_head: Callable[[int, int], nn.Module]  # of the map of one cell

    def preprocessing(self) -> Rule:
        """How the trainer makes an image the network's input."""
        layout = self.layout
        return Rule(layout.image_side, layout.image_side, "RGB", 1.0, layout.mean, (layout.std,) * 3, "stretch")


class Detector(nn.Module):
    """An SSD for `classes` kinds of objects, beside which it scores BACKGROUND as column 0.

    The names of its tensors are those of dusty-nv/pytorch-ssd, so that its checkpoints load as they are.
    """

    priors: torch.Tensor  # (priors, 4), no part of the state

    def __init__(self, network: Network, classes: int) -> None:
        super().__init__()
        self.network, self.classes = network, classes
        maps = tuple(zip(network.channels, network.layout.maps, strict=True))
        boxes = [(channels, network.layout.boxes(grid)) for channels, grid in maps]
        self.base_net = network.base()
        self.extras = nn.ModuleList(network.extras())
        self.classification_headers = _heads(network, [(inputs, count * (classes + 1)) for inputs, count in boxes])
        self.regression_headers = _heads(network, [(inputs, count * 4) for inputs, count in boxes])
        add_ons = [nn.BatchNorm2d(network.channels[0])] if network.normalised else []
        self.source_layer_add_ons = nn.ModuleList(add_ons)
        self.register_buffer("priors", torch.from_numpy(priors(network.layout).copy()), persistent=False)

    def maps(self, x: torch.Tensor, first: int = 0) -> list[torch.Tensor]:
        """The six feature maps (n, channels, cells, cells) of pre-processed images (n, 3, 300, 300).

        Where `first` is not 0, `x` is what the base's block before it gives, and the blocks from it on are asked; a
        map of an earlier block cannot be had.
        """
        found = [x] if first - 1 in self.network.taps else []
        for place, block in enumerate(self.base_net):
            if place < first:
                continue
            if place == self.network.opened:
                residual = cast(InvertedResidual, block)
                found.append(residual.expanded(x))
                x = residual.reduced(found[-1])
            else:
                x = block(x)
            if place in self.network.taps:
                found.append(x)
        for place, add_on in enumerate(self.source_layer_add_ons):
            found[place] = add_on(found[place])
        for extra in self.extras:
            x = extra(x)
            found.append(x)
        return found

    def heads(self, maps: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (n, priors, classes + 1) and offsets (n, priors, 4) for the feature maps."""
        return (
            _outputs(self.classification_headers, maps, self.classes + 1),
            _outputs(self.regression_headers, maps, 4),
        )

    def raw(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (n, priors, classes + 1) and offsets (n, priors, 4) of pre-processed images (n, 3, 300, 300)."""
        return self.heads(self.maps(images))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (n, priors, classes + 1), which sum to 1, and boxes (n, priors, 4) as `decoded` gives them."""
        logits, offsets = self.raw(images)
        return logits.softmax(dim=2), decoded(offsets, self.priors)


def _heads(network: Network, widths: Sequence[tuple[int, int]]) -> nn.ModuleList:
    return nn.ModuleList([*(network.head(*one) for one in widths[:-1]), network.last_head(*widths[-1])])


def _outputs(heads: nn.ModuleList, maps: Sequence[torch.Tensor], numbers: int) -> torch.Tensor:
    """The heads' outputs, each (n, boxes * numbers, cells, cells), in the order of the priors: (n, priors, numbers)."""
    given = [head(x).permute(0, 2, 3, 1) for head, x in zip(heads, maps, strict=True)]
    return torch.cat([one.reshape(one.shape[0], -1, numbers) for one in given], dim=1)
