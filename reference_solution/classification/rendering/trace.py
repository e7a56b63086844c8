"""Sphere tracing: what a pinhole camera sees of solids under one light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import tiles
from .shapes import Floats, Shape
from .textures import Texture

_STEPS = 72
_NEAR_ENOUGH = 0.002  # of a unit, about the objects' height
_FAR = 14.0
_RIM = 12  # how sharp shadows are
_LIGHT_REACH = 4
_ROOM = 0.25  # that ambient light needs


@dataclass(frozen=True, slots=True)
class Solid:
    """A shape, turned by `turn` (3, 3), scaled and moved to `at` (3,), in its colours."""

    shape: Shape
    texture: Texture
    at: Floats
    turn: Floats
    scale: float
    gloss: float

    def local(self, p: Floats) -> Floats:
        return ((p - self.at) @ self.turn) / np.float32(self.scale)

    def distance(self, p: Floats) -> Floats:
        return self.shape(self.local(p)).astype(np.float32) * np.float32(self.scale)


@dataclass(frozen=True, slots=True)
class Scene:
    """Solids on the floor y = 0 before a wall, one light, one camera."""

    solids: tuple[Solid, ...]
    floor: Texture
    wall: Texture
    wall_at: float  # distance of the wall behind the origin
    light: Floats  # direction to it, length 1
    light_colour: Floats
    ambient: Floats
    eye: Floats
    target: Floats
    focal: float  # half the picture's width is 1
    roll: float  # radians


def render(scene: Scene, side: int) -> Floats:
    """The picture, RGB, shape (side, side, 3), linear light, not clipped."""
    return render_with_solids(scene, side)[0]


def render_with_solids(scene: Scene, side: int) -> tuple[Floats, np.ndarray]:
    """What `render` gives, and what `seen_solids` does."""
    eye, rays = _camera(scene, side)
    point, is_solid, wall, solid = _seen(scene, eye, rays, side)
    colour = np.zeros_like(rays)
    normal = np.zeros_like(rays)
    gloss = np.full(len(rays), 0.05, np.float32)
    ground = ~is_solid & ~wall
    colour[ground], normal[ground] = scene.floor(point[ground]), (0, 1, 0)
    colour[wall], normal[wall] = scene.wall(point[wall]), (0, 0, 1)
    for index, one in enumerate(scene.solids):
        mine = is_solid & (solid == index)
        if mine.any():
            colour[mine] = one.texture(one.local(point[mine]))
            normal[mine] = _normals(one, point[mine])
            gloss[mine] = one.gloss
    lit = np.clip(normal @ scene.light, 0, None)
    facing = lit > 0
    start = point + normal * np.float32(0.01)
    middle, radius = tiles.middles(start, side)
    lit[facing] *= _unshadowed(scene, start, facing & ~_in_full_light(scene, middle, radius, side))[facing]
    shine = np.clip((normal * _half_way(scene, rays)).sum(axis=1), 0, 1) ** 40 * gloss * (lit > 0)
    corner = 0.55 + 0.45 * _openness(scene, point + normal * np.float32(_ROOM), side)
    light = scene.ambient * corner[:, None] + scene.light_colour * lit[:, None]
    picture = (colour * light + scene.light_colour * shine[:, None]).reshape(side, side, 3)
    return picture, np.where(is_solid, solid, -1).reshape(side, side)


def seen_solids(scene: Scene, side: int) -> np.ndarray:
    """Which of the solids each pixel shows, shape (side, side); -1 for the floor and the wall."""
    eye, rays = _camera(scene, side)
    _, is_solid, _, solid = _seen(scene, eye, rays, side)
    return np.where(is_solid, solid, -1).reshape(side, side)


def _camera(scene: Scene, side: int) -> tuple[Floats, Floats]:
    forward = scene.target - scene.eye
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, np.array([0, 1, 0], np.float32))
    right = right / np.linalg.norm(right)
    up = np.cross(right, forward)
    right, up = (
        np.cos(scene.roll) * right + np.sin(scene.roll) * up,
        np.cos(scene.roll) * up - np.sin(scene.roll) * right,
    )
    across = ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32)
    x, y = np.meshgrid(across, -across)
    rays = forward * np.float32(scene.focal) + x.reshape(-1, 1) * right + y.reshape(-1, 1) * up
    return scene.eye, (rays / np.linalg.norm(rays, axis=1, keepdims=True)).astype(np.float32)


def _seen(scene: Scene, eye: Floats, rays: Floats, side: int) -> tuple[Floats, np.ndarray, np.ndarray, np.ndarray]:
    """Where each ray ends; whether on a solid, or on the wall; and which solid is nearest there."""
    with np.errstate(divide="ignore"):
        floor = np.where(rays[:, 1] < -1e-4, -eye[1] / rays[:, 1], np.inf)
        wall = np.where(rays[:, 2] < -1e-4, (-scene.wall_at - eye[2]) / rays[:, 2], np.inf)
    flat = np.minimum(np.minimum(floor, wall), 60)
    away, solid = _march(scene, eye, rays, np.minimum(flat, _FAR), _not_passing(scene, eye, rays, flat, side))
    is_solid = (solid >= 0) & (away < flat)
    reach = np.where(is_solid, away, flat).astype(np.float32)
    return eye + rays * reach[:, None], is_solid, ~is_solid & (wall < floor), solid


def _not_passing(scene: Scene, eye: Floats, rays: Floats, flat: Floats, side: int) -> np.ndarray:
    """The indices of the rays that may meet a solid before the floor and the wall."""
    middle, spread = tiles.middles(rays, side)
    until = np.minimum(tiles.by_tile(flat, side).max(axis=1), _FAR)
    start = np.broadcast_to(eye, middle.shape)
    passing = tiles.clear(lambda p: _nearest(scene, p), start, middle, 0.0, spread, until)
    return np.flatnonzero(~tiles.of_pixels(passing, side))


def _march(scene: Scene, eye: Floats, rays: Floats, far: Floats, active: np.ndarray) -> tuple[Floats, np.ndarray]:
    """How far each of the `active` rays goes until a solid, and which one it is; -1 for none before `far`."""
    away = np.zeros(len(rays), np.float32)
    solid = np.full(len(rays), -1)
    for _ in range(_STEPS):
        if not len(active):
            break
        p = eye + rays[active] * away[active, None]
        each = np.stack([one.distance(p) for one in scene.solids])
        nearest = each.min(axis=0)
        hit = nearest < _NEAR_ENOUGH
        solid[active[hit]] = each[:, hit].argmin(axis=0)
        away[active] += np.where(hit, 0, nearest)
        gone = (p[:, 1] < -0.05) | (away[active] > far[active])
        active = active[~hit & ~gone]
    return away, solid


def _normals(solid: Solid, p: Floats) -> Floats:
    """The gradient of the distance, from four points around (the corners of a tetrahedron)."""
    total = np.zeros_like(p)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        step = np.array(corner, np.float32)
        total += step * solid.distance(p + step * np.float32(0.001))[:, None]
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)


def _in_full_light(scene: Scene, middle: Floats, radius: Floats, side: int) -> np.ndarray:
    """The pixels from which the light is seen with nothing near the way, as `_unshadowed` means it."""
    toward = np.broadcast_to(scene.light, middle.shape)
    free = tiles.clear(lambda p: _nearest(scene, p), middle, toward, radius, 1 / _RIM, _LIGHT_REACH)
    return tiles.of_pixels(free, side)


def _unshadowed(scene: Scene, p: Floats, asked: np.ndarray) -> Floats:
    """Of the `asked` points, a mask: 1 where the light comes through, 0 in the shadow, between at its rim. Else 1."""
    light = np.ones(len(p), np.float32)
    away = np.full(len(p), 0.02, np.float32)
    active = np.flatnonzero(asked)
    for _ in range(28):
        if not len(active):
            break
        nearest = _nearest(scene, p[active] + scene.light * away[active, None])
        light[active] = np.minimum(light[active], np.clip(_RIM * nearest / away[active], 0, 1))
        away[active] += np.clip(nearest, 0.02, 0.5)
        active = active[(light[active] > 0.01) & (away[active] < _LIGHT_REACH)]
    return light


def _openness(scene: Scene, p: Floats, side: int) -> Floats:
    """0 in a corner between solids, to 1 where each is at least `_ROOM` away from the point."""
    found = np.ones(len(p), np.float32)
    near = ~tiles.roomy(lambda of_tiles: _nearest(scene, of_tiles), p, side, _ROOM)
    found[near] = np.clip(_nearest(scene, p[near]) / _ROOM, 0, 1)
    return found


def _nearest(scene: Scene, p: Floats) -> Floats:
    return np.minimum.reduce([one.distance(p) for one in scene.solids])


def _half_way(scene: Scene, rays: Floats) -> Floats:
    half = scene.light - rays
    return half / np.maximum(np.linalg.norm(half, axis=1, keepdims=True), 1e-9)
