"""A network of jetson-inference as a reference detector: its layers with weights that are there, and new ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .detector import Detector
from .reference_ssd import ReferenceSsd, channels_last, folded, start


@dataclass(frozen=True, slots=True)
class Pixels:
    """What weights were trained on: (pixel - mean) / spread, of pixels 0 to 255, RGB."""

    mean: tuple[float, float, float]
    spread: tuple[float, float, float]


class JetsonSsd(ReferenceSsd):
    """A detector whose base begins with blocks that are never trained.

    Its input and its outputs are the network's own: those of a file of jetson-inference's exporter.
    """

    scale: Tensor  # this and `shift` make of the network's input what the weights were trained on, where it is not that
    shift: Tensor

    def __init__(self, detector: Detector, frozen: int, new: Sequence[nn.Module], pixels: Pixels | None = None) -> None:
        """`detector` is changed. Its first `frozen` blocks stay; `new`, with the heads, starts from random numbers.

        `pixels`: what the weights were trained on, where that is not what the network takes.
        """
        super().__init__(detector.network.layout)
        folded(detector.base_net)
        self.detector, self._frozen, self._adapts = detector, frozen, pixels is not None
        heads = [*detector.classification_headers, *detector.regression_headers]
        fresh = nn.ModuleList([*new, *heads])
        start(fresh, heads)
        self._fresh = [*fresh.parameters(), *detector.source_layer_add_ons.parameters()]
        if pixels is not None:
            mean, spread, given = (
                torch.tensor(of).reshape(1, -1, 1, 1) for of in (pixels.mean, pixels.spread, self.layout.mean)
            )
            self.register_buffer("scale", self.layout.std / spread, persistent=False)
            self.register_buffer("shift", (given - mean) / spread, persistent=False)
        channels_last(self)

    def low_features(self, images: Tensor) -> Tensor:
        """What the first blocks give, which are never trained: (n, channels, cells, cells)."""
        low = images * self.scale + self.shift if self._adapts else images
        for block in list(self.detector.base_net)[: self._frozen]:
            low = block(low)
        return low

    def raw(self, low: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, priors, labels), background first, and offsets (n, priors, 4) from `low_features`."""
        return self.detector.heads(self.detector.maps(low, self._frozen))

    def new_layers(self) -> Iterator[nn.Parameter]:
        """The heads, and what else has no weights to start from."""
        yield from self._fresh

    def moved_base(self) -> Iterator[nn.Parameter]:
        """What has weights to start from, after the blocks that stay."""
        fresh = set(map(id, self._fresh))
        for part in (*list(self.detector.base_net)[self._frozen :], self.detector.extras):
            yield from (one for one in part.parameters() if id(one) not in fresh)
