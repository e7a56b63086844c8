"""The objects, as signed distance functions: points (n, 3), float32, to distances (n,).

Every object stands on y = 0, about 1 high or wide, and draws its proportions from `rng`. A distance may be
too small, never too large, or the tracing steps through the surface. Formulas: Inigo Quilez,
"Distance functions", iquilezles.org/articles/distfunctions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Shape = Callable[[Floats], Floats]
Random = np.random.Generator


def length(*parts: Floats) -> Floats:
    """Euclidean length of vectors that are given by their components."""
    total = parts[0] * parts[0]
    for part in parts[1:]:
        total = total + part * part
    return np.sqrt(total)


def _capped_cylinder(radial: Floats, y: Floats, radius: Floats | float, half: float) -> Floats:
    """A cylinder around the y axis, by the distance from that axis and the height above its middle."""
    outside = radial - radius
    above = np.abs(y) - half
    return np.minimum(np.maximum(outside, above), 0) + length(np.maximum(outside, 0), np.maximum(above, 0))


def _torus(in_plane: Floats, off_plane: Floats, ring: float, tube: float) -> Floats:
    return length(in_plane - ring, off_plane) - tube


def _smooth_min(a: Floats, b: Floats, reach: float) -> Floats:
    overlap = np.maximum(reach - np.abs(a - b), 0) / reach
    return np.minimum(a, b) - overlap * overlap * reach / 4


def mug(rng: Random) -> Shape:
    """A cup with a handle, open at the top."""
    radius, half = rng.uniform(0.30, 0.42), rng.uniform(0.36, 0.52)
    taper, wall = rng.uniform(-0.06, 0.16), rng.uniform(0.035, 0.055)
    ring, tube = half * rng.uniform(0.45, 0.62), rng.uniform(0.045, 0.07)
    squash = rng.uniform(0.75, 1.05)

    def distance(p: Floats) -> Floats:
        y = p[:, 1] - half
        radial = length(p[:, 0], p[:, 2])
        side = radius + taper * y
        body = _capped_cylinder(radial, y, side, half)
        hollow = _capped_cylinder(radial, y - 2 * wall, side - wall, half)
        cup = np.maximum(body, -hollow)
        out = (p[:, 0] - radius) / squash
        handle = np.maximum(_torus(length(out, y), p[:, 2], ring, tube) * squash, -hollow)
        return 0.85 * _smooth_min(cup, handle, 0.04)

    return distance


def bottle(rng: Random) -> Shape:
    """A body, a shoulder, a neck and a lid."""
    radius, neck = rng.uniform(0.17, 0.25), rng.uniform(0.055, 0.085)
    body, tall = rng.uniform(0.45, 0.65), rng.uniform(0.95, 1.15)
    shoulder = rng.uniform(0.08, 0.22)
    lid = rng.uniform(0.015, 0.03)

    def distance(p: Floats) -> Floats:
        radial = length(p[:, 0], p[:, 2])
        trunk = _capped_cylinder(radial, p[:, 1] - body / 2, radius - 0.03, body / 2 - 0.03) - 0.03
        throat = _capped_cylinder(radial, p[:, 1] - tall / 2, neck, tall / 2)
        top = _capped_cylinder(radial, p[:, 1] - tall, neck + lid, 0.045) - 0.008
        return 0.9 * np.minimum(_smooth_min(trunk, throat, 2 * shoulder), top)

    return distance


def goblet(rng: Random) -> Shape:
    """A bowl on a stem with a foot."""
    radius, stem = rng.uniform(0.24, 0.34), rng.uniform(0.025, 0.045)
    middle, foot = rng.uniform(0.62, 0.78), rng.uniform(0.20, 0.30)
    stretch, cut = rng.uniform(0.95, 1.45), rng.uniform(0.10, 0.45)
    wall = rng.uniform(0.02, 0.035)

    def distance(p: Floats) -> Floats:
        radial = length(p[:, 0], p[:, 2])
        y = (p[:, 1] - middle) / stretch
        globe = length(radial, y)
        shell = np.maximum(np.abs(globe - radius) - wall, y - cut * radius)
        pole = _capped_cylinder(radial, p[:, 1] - middle / 2 + 0.15, stem, middle / 2 - 0.15)
        plate = _capped_cylinder(radial, p[:, 1] - 0.02, foot, 0.012) - 0.01
        return 0.8 * _smooth_min(np.minimum(shell, plate), pole, 0.09)

    return distance


def ball(rng: Random) -> Shape:
    """A ball with seams, or a slightly egg-shaped one."""
    radius = rng.uniform(0.36, 0.50)
    seams = rng.choice([0.0, 0.02, 0.03])
    turns = rng.uniform(1.5, 3.5)

    def distance(p: Floats) -> Floats:
        centred = length(p[:, 0], p[:, 1] - radius, p[:, 2])
        angle = np.arctan2(p[:, 2], p[:, 0]) * turns
        near = np.abs((p[:, 1] - radius) - 0.45 * radius * np.sin(angle))
        return 0.8 * (centred - radius + seams * np.exp(-((near / 0.03) ** 2)))

    return distance


def dumbbell(rng: Random) -> Shape:
    """Two discs or balls on a bar, lying."""
    weight, thick = rng.uniform(0.19, 0.28), rng.uniform(0.06, 0.12)
    reach, bar = rng.uniform(0.36, 0.50), rng.uniform(0.04, 0.06)
    round_ends = rng.random() < 0.35

    def distance(p: Floats) -> Floats:
        y = p[:, 1] - weight
        along = np.abs(p[:, 0])
        radial = length(y, p[:, 2])
        if round_ends:
            ends = length(along - reach, y, p[:, 2]) - weight
        else:
            ends = _capped_cylinder(radial, along - reach, weight - 0.02, thick - 0.02) - 0.02
            inner = _capped_cylinder(radial, along - reach + 1.5 * thick, 0.75 * weight, 0.4 * thick) - 0.01
            ends = np.minimum(ends, inner)
        return 0.9 * np.minimum(ends, _capped_cylinder(radial, p[:, 0], bar, reach + 0.05))

    return distance


def box(rng: Random) -> Shape:
    """Something else on the table: a block."""
    half = rng.uniform(0.08, 0.3, 3)

    def distance(p: Floats) -> Floats:
        q = np.abs(p - np.array([0, half[1], 0], np.float32)) - half.astype(np.float32)
        outside = np.maximum(q, 0)
        most = np.maximum(np.maximum(q[:, 0], q[:, 1]), q[:, 2])
        return length(outside[:, 0], outside[:, 1], outside[:, 2]) + np.minimum(most, 0)

    return distance


def ring(rng: Random) -> Shape:
    """Something else on the table: a ring, lying."""
    size, tube = rng.uniform(0.12, 0.3), rng.uniform(0.04, 0.08)
    return lambda p: _torus(length(p[:, 0], p[:, 2]), p[:, 1] - tube, size, tube)


def post(rng: Random) -> Shape:
    """Something else on the table: a standing rod or a flat disc."""
    radius, half = rng.uniform(0.04, 0.22), rng.uniform(0.03, 0.45)
    return lambda p: _capped_cylinder(length(p[:, 0], p[:, 2]), p[:, 1] - half, radius, half)


OBJECTS: dict[str, Callable[[Random], Shape]] = {
    "ball": ball,
    "bottle": bottle,
    "dumbbell": dumbbell,
    "goblet": goblet,
    "mug": mug,
}
CLUTTER: tuple[Callable[[Random], Shape], ...] = (box, ring, post)
