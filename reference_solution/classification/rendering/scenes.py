"""Random scenes with one object of a class. The held-out ones have other rooms, lights and distances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from . import textures
from .shapes import CLUTTER, OBJECTS, Floats, Random, Shape
from .trace import Scene, Solid, render

Surface = Callable[[Random, Floats, Floats], textures.Texture]
Range = tuple[float, float]
_COATS: tuple[Surface, ...] = (
    textures.plain,
    textures.plain,
    textures.marbled,
    textures.striped,
    textures.checked,
    textures.dotted,
)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a set of pictures is drawn from."""

    floors: tuple[Surface, ...]
    walls: tuple[Surface, ...]
    light_from: Range  # degrees around the vertical, 0 behind the camera
    light_height: Range  # degrees above the floor
    brightness: Range
    warmth: Range  # below 0 bluish, above reddish
    elevation: Range  # degrees of the camera above the floor
    distance: Range
    off_centre: float
    blur: Range  # pixels
    noise: Range  # standard deviation, of 255
    clutter: tuple[int, int]  # least and most
    wall_at: Range = (0.9, 3.0)  # distance of the wall behind the origin


TRAINING = Conditions(
    floors=(textures.grained, textures.plain, textures.marbled),
    walls=(textures.plain, textures.marbled),
    light_from=(-80, 30),
    light_height=(35, 75),
    brightness=(0.8, 1.15),
    warmth=(-0.05, 0.12),
    elevation=(14, 40),
    distance=(2.1, 3.1),
    off_centre=0.12,
    blur=(0.0, 0.9),
    noise=(1, 5),
    clutter=(0, 2),
)
HELD_OUT = Conditions(
    floors=(textures.grained, textures.checked, textures.striped, textures.dotted, textures.marbled),
    walls=(textures.striped, textures.grained, textures.plain, textures.checked),
    light_from=(10, 130),
    light_height=(22, 65),
    brightness=(0.6, 1.25),
    warmth=(-0.18, 0.2),
    elevation=(10, 46),
    distance=(1.9, 3.5),
    off_centre=0.17,
    blur=(0.1, 1.0),
    noise=(2, 7),
    clutter=(0, 3),
)


def picture(name: str, conditions: Conditions, rng: Random, side: int) -> Image.Image:
    """A photograph, as it were, of an object of the class `name`."""
    return photograph(render(_scene(name, conditions, rng), side), conditions, rng)


def photograph(light: Floats, conditions: Conditions, rng: Random) -> Image.Image:
    """What `render` gives, (side, side, 3), through a camera that blurs and adds noise."""
    linear = np.clip(light, 0, 1) ** np.float32(1 / 2.2)
    image = Image.fromarray((linear * 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(*conditions.blur)))
    grain = rng.normal(0, rng.uniform(*conditions.noise), light.shape)
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def _scene(name: str, conditions: Conditions, rng: Random) -> Scene:
    middle = rng.uniform(-conditions.off_centre, conditions.off_centre, 2)
    main = solid(OBJECTS[name](rng), rng, (0.0, 0.0), rng.uniform(0.85, 1.15), lies(name, rng))
    around = rng.integers(conditions.clutter[0], conditions.clutter[1] + 1)
    clutter = [_clutter(rng) for _ in range(around)]
    return room((main, *clutter), (middle[0], middle[1]), conditions, rng)


def room(solids: tuple[Solid, ...], middle: tuple[float, float], conditions: Conditions, rng: Random) -> Scene:
    """A room, a light and a camera around the solids. `middle`: where the camera looks, right of and above them."""
    angle, height = np.radians(rng.uniform(-25, 25)), np.radians(rng.uniform(*conditions.elevation))
    away = rng.uniform(*conditions.distance)
    target = np.array([middle[0], 0.42 + middle[1], 0], np.float32)
    seen_from = np.array([np.sin(angle) * np.cos(height), np.sin(height), np.cos(angle) * np.cos(height)])
    warmth = rng.uniform(*conditions.warmth)
    tint = np.array([1 + warmth, 1, 1 - warmth], np.float32)
    return Scene(
        solids=solids,
        floor=_surface(conditions.floors, rng),
        wall=_surface(conditions.walls, rng),
        wall_at=rng.uniform(*conditions.wall_at),
        light=_light(conditions, rng),
        light_colour=tint * np.float32(rng.uniform(*conditions.brightness)),
        ambient=tint[::-1] * np.float32(rng.uniform(0.12, 0.35)),
        eye=(target + seen_from * away).astype(np.float32),
        target=target,
        focal=2.2,
        roll=rng.normal(0, 0.06),
    )


def _light(conditions: Conditions, rng: Random) -> Floats:
    side, height = np.radians(rng.uniform(*conditions.light_from)), np.radians(rng.uniform(*conditions.light_height))
    return np.array([np.sin(side) * np.cos(height), np.sin(height), np.cos(side) * np.cos(height)], np.float32)


def _surface(kinds: tuple[Surface, ...], rng: Random) -> textures.Texture:
    one, other = (textures.colour(rng, (0.0, 0.5), (0.15, 0.9)) for _ in range(2))
    return kinds[rng.integers(len(kinds))](rng, one, other)


def lies(name: str, rng: Random) -> bool:
    return name in ("bottle", "goblet", "mug") and rng.random() < 0.12


def solid(shape: Shape, rng: Random, at: tuple[float, float], scale: float, lying: bool) -> Solid:
    """The shape on the floor, turned about the vertical; a lying one is tipped over its edge first."""
    spin = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(spin), 0, np.sin(spin)], [0, 1, 0], [-np.sin(spin), 0, np.cos(spin)]])
    base = np.array([at[0], 0.0, at[1]])
    if lying:
        turn = turn @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
        base = base + np.array([0.0, 0.25 * scale, 0.0]) - turn @ np.array([0, 0.5 * scale, 0])
    coat = _COATS[rng.integers(len(_COATS))](rng, textures.colour(rng), textures.colour(rng))
    return Solid(
        shape, coat, base.astype(np.float32), turn.astype(np.float32), scale, float(rng.choice([0.05, 0.3, 0.8]))
    )


def _clutter(rng: Random) -> Solid:
    """Something that is not the object, beside or behind it."""
    side = rng.choice([-1, 1]) * rng.uniform(0.6, 1.3)
    return solid(
        CLUTTER[rng.integers(len(CLUTTER))](rng), rng, (side, rng.uniform(-0.9, 0.35)), rng.uniform(0.7, 1.3), False
    )
