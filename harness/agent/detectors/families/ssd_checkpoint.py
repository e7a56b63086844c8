"""A checkpoint of jetson-inference's `train_ssd.py`: weights alone, whose network is known by its tensors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...models.model_file import is_plain_state, is_torch_pickle
from ...models.torch_models import torch_ready
from ..declared import as_declared
from ..detector import Anchors, Description, Opening, Pixels
from ..fitting import fitted, model_input

if TYPE_CHECKING:
    from ...ssd.detector import Detector

RUNS_CODE = False


def matches(file: Path) -> bool:
    if not (is_torch_pickle(file) and is_plain_state(file)):
        return False
    from ...ssd.checkpoint import resembles_one

    return resembles_one(file)


def load(opening: Opening) -> SsdCheckpoint:
    torch_ready(opening.threads)
    from ...ssd.checkpoint import read

    detector = read(opening.file)
    rule = detector.network.preprocessing()
    description = Description(
        family="ssd_checkpoint",
        width=rule.width,
        height=rule.height,
        fit="stretch",
        colour="RGB",
        scale=rule.scale,
        mean=rule.mean,
        std=rule.std,
        suppressed_inside=False,
        background_first=True,
        labels=detector.classes + 1,
        scores="softmax-outside",
        boxes="offsets",
    )
    return SsdCheckpoint(as_declared(description, opening), detector)


@dataclass(frozen=True, slots=True)
class SsdCheckpoint:
    """One of the five networks, which gives a box and scores for each of its priors."""

    description: Description
    network: Detector

    def answer(self, image: Pixels) -> Anchors:
        import torch

        placed = fitted(image, self.description).pixels
        given = torch.from_numpy(model_input(placed, self.description, "NCHW", "float32"))
        with torch.inference_mode():
            scores, boxes = self.network(given)
        return Anchors(boxes[0].numpy(), scores[0, :, 1:].numpy(), first=1)
