"""The boxes that an SSD starts from, before it moves them, and how an image becomes its input."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """A square grid of cells, each with six priors unless `ratios` says otherwise. Lengths are pixels of the input."""

    cells: int  # along each side
    step: int  # between the centres of two cells
    smallest: int  # side of the small square
    largest: int  # the larger square has the geometric mean of both as its side
    ratios: tuple[int, ...] = ()  # where they are not the layout's


@dataclass(frozen=True, slots=True)
class Layout:
    """What the configuration of a network says: where its priors stand, and its pre-processing."""

    image_side: int
    maps: tuple[FeatureMap, ...]
    ratios: tuple[int, ...] = (2, 3)  # width to height, and the other way round
    mean: tuple[float, float, float] = (127.0, 127.0, 127.0)  # of pixels 0 to 255, RGB
    std: float = 128.0

    def boxes(self, grid: FeatureMap) -> int:
        """How many priors a cell of the map has: two squares, and two boxes for each ratio."""
        return 2 + 2 * len(grid.ratios or self.ratios)


# dusty-nv/pytorch-ssd e7b5af5, vision/ssd/config/mobilenetv1_ssd_config.py, squeezenet_ssd_config.py and
# vgg_ssd_config.py (MIT). Both MobileNets have the first.
MOBILENET = Layout(
    300,
    (
        FeatureMap(19, 16, 60, 105),
        FeatureMap(10, 32, 105, 150),
        FeatureMap(5, 64, 150, 195),
        FeatureMap(3, 100, 195, 240),
        FeatureMap(2, 150, 240, 285),
        FeatureMap(1, 300, 285, 330),
    ),
)
SQUEEZENET = Layout(300, (FeatureMap(17, 16, 60, 105), *MOBILENET.maps[1:]))  # its convolutions do not pad
VGG = Layout(
    300,
    (
        FeatureMap(38, 8, 30, 60, (2,)),
        FeatureMap(19, 16, 60, 111),
        FeatureMap(10, 32, 111, 162),
        FeatureMap(5, 64, 162, 213),
        FeatureMap(3, 100, 213, 264, (2,)),
        FeatureMap(1, 300, 264, 315, (2,)),
    ),
    mean=(123.0, 117.0, 104.0),  # rounded, as VGG's authors subtract them
    std=1.0,
)
LAYOUTS = (MOBILENET, SQUEEZENET, VGG)


@cache
def priors(layout: Layout) -> NDArray[np.float32]:
    """(priors, 4) float32: centre x, centre y, width and height, relative to the image, cut to [0, 1].

    Cells are in the order of rows; in a cell come the small square, the large one, then for each ratio the wide and
    the tall box, as `generate_ssd_priors` of dusty-nv/pytorch-ssd (vision/utils/box_utils.py) puts them.
    """
    rows: list[tuple[float, float, float, float]] = []
    for grid in layout.maps:
        shapes = _shapes(grid, layout)
        for row, column in product(range(grid.cells), repeat=2):
            x, y = ((index + 0.5) * grid.step / layout.image_side for index in (column, row))
            rows += [(x, y, width, height) for width, height in shapes]
    found: NDArray[np.float32] = np.clip(np.array(rows, np.float32), 0, 1)
    found.setflags(write=False)
    return found


def _shapes(grid: FeatureMap, layout: Layout) -> list[tuple[float, float]]:
    """Width and height of a cell's priors, relative to the image."""
    small = grid.smallest / layout.image_side
    large = math.sqrt(grid.smallest * grid.largest) / layout.image_side
    shapes = [(small, small), (large, large)]
    for ratio in map(math.sqrt, grid.ratios or layout.ratios):
        shapes += [(small * ratio, small / ratio), (small / ratio, small * ratio)]
    return shapes
