"""What a reference detector can start from, and how much its training computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..models.reference_training import BACKBONES
from .checkpoint_start import CheckpointStart
from .mobilenet_v2_ssd import MobileNetV2Ssd
from .reference_ssd import ReferenceSsd
from .training import WHOLE, Budget, Rates
from .vgg16_start import Vgg16Start

Builder = Callable[[int], ReferenceSsd]  # from how many kinds of objects there are

_VGG16 = Budget(views=400, head_steps=40, steps=120)  # a view takes 0.44 s of CPU, a head step 2.2 s
_VGG16_RATES = Rates(new=5e-4, base=3e-5)  # no BatchNorm keeps its layers' outputs as large as they were


@dataclass(frozen=True, slots=True)
class Start:
    """How a file of weights is read, and what is computed then."""

    read: Callable[[Path], Builder]
    budget: Budget
    rates: Rates


def _mobilenet_v2(file: Path) -> Builder:
    return partial(MobileNetV2Ssd, BACKBONES["mobilenet_v2"](file).layers)


# By what `[reference] backbone` calls it, which is also the name of the weights in the manifest.
STARTS: Mapping[str, Start] = {
    "mobilenet_v2": Start(_mobilenet_v2, WHOLE, Rates()),
    "ssd_mobilenet": Start(CheckpointStart, WHOLE, Rates()),
    "vgg16": Start(partial(Vgg16Start, "vgg16"), _VGG16, _VGG16_RATES),
    "vgg16_notop_caffe": Start(partial(Vgg16Start, "vgg16_notop_caffe"), _VGG16, _VGG16_RATES),
}
