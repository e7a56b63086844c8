"""Squares of neighbouring pixels, of which one ray tells whether all their rays pass every solid.

It changes no pixel: a solid's distance is never too large, so rays that are passed by here meet nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .shapes import Floats

_SIDE = 4  # pixels
_STEPS = 40
_MARGIN = 0.05  # of a unit: more than a hit's tolerance and a ball's seams
_SHORTEST = 0.02  # step; a tile that has less room is not clear


def by_tile(of_pixels: np.ndarray, side: int) -> np.ndarray:
    """(side * side, ...) to (tiles, pixels of a tile, ...); each pixel its own tile where they do not fit."""
    tile = _tile(side)
    rest = of_pixels.shape[1:]
    grid = of_pixels.reshape(side // tile, tile, side // tile, tile, *rest).swapaxes(1, 2)
    return grid.reshape(-1, tile * tile, *rest)


def of_pixels(of_tiles: np.ndarray, side: int) -> np.ndarray:
    """A value for each tile to one for each of its pixels, (side * side,)."""
    tile = _tile(side)
    grid = of_tiles.reshape(side // tile, side // tile)
    return grid.repeat(tile, axis=0).repeat(tile, axis=1).ravel()


def middles(of_pixels: Floats, side: int) -> tuple[Floats, Floats]:
    """Of each tile the mean of its points (tiles, 3), and how far the farthest is from it (tiles,)."""
    points = by_tile(of_pixels, side)
    middle = points.mean(axis=1)
    return middle, np.linalg.norm(points - middle[:, None], axis=2).max(axis=1)


def roomy(nearest: Callable[[Floats], Floats], points: Floats, side: int, room: float) -> np.ndarray:
    """The pixels around whose points (side * side, 3) no solid is nearer than `room`, a mask."""
    middle, radius = middles(points, side)
    return of_pixels(nearest(middle) >= room + radius + _MARGIN, side)


def clear(
    nearest: Callable[[Floats], Floats],
    start: Floats,
    toward: Floats,
    radius: Floats | float,
    widening: Floats | float,
    until: Floats | float,
) -> np.ndarray:
    """Whether cones (n,) from balls around `start` (n, 3) along `toward` (n, 3) have no solid in them.

    `radius` is that of the ball, `until` the cone's length, `widening` what its radius gains for each unit of that.
    """
    count = len(start)
    radius, widening, until = (np.broadcast_to(each, count) for each in (radius, widening, until))
    away = np.zeros(count, np.float32)
    passed = np.zeros(count, bool)
    active = np.arange(count)
    for _ in range(_STEPS):
        found = nearest(start[active] + toward[active] * away[active, None])
        wide = radius[active] + widening[active] * away[active]
        step = (found - wide - _MARGIN) / (1 + widening[active])
        away[active] += step
        free = step >= _SHORTEST
        there = free & (away[active] > until[active])
        passed[active[there]] = True
        active = active[free & ~there]
        if not len(active):
            break
    return passed


def _tile(side: int) -> int:
    return _SIDE if side % _SIDE == 0 else 1
