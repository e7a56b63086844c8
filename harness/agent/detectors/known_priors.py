"""The priors of the networks that jetson-inference's train_ssd.py trains, found by their number."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..ssd.priors import MOBILENET, FeatureMap, Layout, priors
from .detector import Floats

# dusty-nv/pytorch-ssd, vision/ssd/config/squeezenet_ssd_config.py (MIT).
SQUEEZENET = Layout(300, (FeatureMap(17, 16, 60, 105), *MOBILENET.maps[1:]))
# The same, vgg_ssd_config.py: its first map and its last two have four priors a cell, the others six.
_VGG = (
    Layout(300, (FeatureMap(38, 8, 30, 60),), (2,)),
    Layout(300, (FeatureMap(19, 16, 60, 111), FeatureMap(10, 32, 111, 162), FeatureMap(5, 64, 162, 213))),
    Layout(300, (FeatureMap(3, 100, 213, 264), FeatureMap(1, 300, 264, 315)), (2,)),
)


@cache
def vgg_priors() -> Floats:
    """The 8,732 priors of vgg16-ssd, as `priors` gives those of one layout."""
    found = np.concatenate([priors(part) for part in _VGG])
    found.setflags(write=False)
    return found


@cache
def by_number() -> dict[int, Floats]:
    """How many -> the priors, (number, 4) with centre and size: those of all five networks at 300 x 300 pixels."""
    return {len(known): known for known in (priors(MOBILENET), priors(SQUEEZENET), vgg_priors())}
