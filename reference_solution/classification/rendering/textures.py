"""Procedural colours: a texture is a function from points (n, 3) to RGB (n, 3) between 0 and 1."""

from __future__ import annotations

import colorsys
import itertools
from collections.abc import Callable

import numpy as np

from .shapes import Floats, Random

Texture = Callable[[Floats], Floats]


def colour(rng: Random, saturation: tuple[float, float] = (0.1, 0.9), value: tuple[float, float] = (0.25, 1)) -> Floats:
    """A random colour, shape (3,)."""
    return np.array(colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value)), np.float32)


def _mixed(one: Floats, other: Floats, share: Floats) -> Floats:
    return one + (other - one) * share[:, None]


def _noise(rng: Random) -> Callable[[Floats], Floats]:
    """Value noise between 0 and 1, repeating every 16 units."""
    grid = rng.random((16, 16, 16)).astype(np.float32)

    def at(p: Floats) -> Floats:
        low = np.floor(p).astype(np.int64)
        t = (p - low).astype(np.float32)
        t = t * t * (3 - 2 * t)
        at_step = [((low + step) & 15).T for step in (0, 1)]
        share = [(1 - t).T, t.T]
        total = np.zeros(len(p), np.float32)
        for k, j, i in itertools.product((0, 1), repeat=3):
            total += grid[at_step[i][0], at_step[j][1], at_step[k][2]] * (share[i][0] * share[j][1] * share[k][2])
        return total

    return at


def _layers(rng: Random) -> Callable[[Floats], Floats]:
    coarse, fine = _noise(rng), _noise(rng)
    return lambda p: (0.65 * coarse(p) + 0.35 * fine(p * 3.1)).astype(np.float32)


def plain(rng: Random, one: Floats, other: Floats) -> Texture:
    return lambda p: np.broadcast_to(one, (len(p), 3))


def marbled(rng: Random, one: Floats, other: Floats) -> Texture:
    noise, scale = _layers(rng), rng.uniform(2, 7)
    return lambda p: _mixed(one, other, np.clip(2.2 * noise(p * scale) - 0.6, 0, 1))


def grained(rng: Random, one: Floats, other: Floats) -> Texture:
    """Like wood: noise stretched along one axis, in planks."""
    noise, turn, scale = _layers(rng), rng.uniform(0, np.pi), rng.uniform(3, 9)
    axes = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]], np.float32)
    stretch = np.array([scale, scale, 0.4], np.float32)

    def at(p: Floats) -> Floats:
        q = p @ axes.T
        planks = (np.abs(q[:, 0] * 1.3 % 1 - 0.5) < 0.485) * np.float32(0.35) + np.float32(0.65)
        return _mixed(one, other * 0.5 + one * 0.5, noise(q * stretch)) * planks[:, None]

    return at


def striped(rng: Random, one: Floats, other: Floats) -> Texture:
    axis = rng.normal(size=3)
    axis = (axis / np.linalg.norm(axis) * rng.uniform(2, 6)).astype(np.float32)
    share = rng.uniform(0.2, 0.6)
    return lambda p: _mixed(one, other, ((p @ axis) % 1 < share).astype(np.float32))


def checked(rng: Random, one: Floats, other: Floats) -> Texture:
    scale = rng.uniform(2, 5)
    return lambda p: _mixed(one, other, (np.floor(p * scale + 0.01).sum(axis=1) % 2).astype(np.float32))


def dotted(rng: Random, one: Floats, other: Floats) -> Texture:
    scale, size = rng.uniform(3, 6), rng.uniform(0.2, 0.42)

    def at(p: Floats) -> Floats:
        q = p * scale
        return _mixed(one, other, (np.linalg.norm(q - np.floor(q) - 0.5, axis=1) < size).astype(np.float32))

    return at
