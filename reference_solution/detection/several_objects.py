"""Random scenes with several objects, and the box of what each shows of itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from rendering import scenes
from rendering.shapes import CLUTTER, OBJECTS, Random
from rendering.trace import Scene, Solid, render_with_solids, seen_solids

CLASSES = ("ball", "bottle", "dumbbell", "mug")
TRAINING = replace(scenes.TRAINING, distance=(3.6, 5.4), off_centre=0.2, wall_at=(1.8, 3.6))
HELD_OUT = replace(scenes.HELD_OUT, distance=(3.3, 6.2), off_centre=0.3, wall_at=(1.7, 4.0))

_OBJECTS = (2, 5)  # least and most, in an image
_ACROSS, _DEEP = 1.5, 1.1  # half the width and the depth of the floor on which they stand
_GRID = 0.12  # between the points at which two solids are looked for
_APART = 0.5  # of two things on the floor, between their middles
_LEAST_VISIBLE = 0.45  # share of an object's silhouette that the image shows
_TRIAL_SIDE = 48  # pixels of the drafts from which that share is counted


@dataclass(frozen=True, slots=True)
class Annotated:
    """An image and its objects: class and box, whose sides are pixels from 0, the last ones inside."""

    image: Image.Image
    objects: tuple[tuple[str, tuple[int, int, int, int]], ...]


def photographed(conditions: scenes.Conditions, rng: Random, side: int) -> Annotated:
    """A photograph of two to five objects, no two inside each other, each for the most part to be seen."""
    while True:
        names = [CLASSES[i] for i in rng.integers(len(CLASSES), size=rng.integers(_OBJECTS[0], _OBJECTS[1] + 1))]
        scene = _scene(names, conditions, rng)
        if not _inside_each_other(scene.solids) and _all_visible(scene, len(names)):
            break
    light, seen = render_with_solids(scene, side)
    objects = tuple((name, _box(seen == number)) for number, name in enumerate(names))
    return Annotated(scenes.photograph(light, conditions, rng), objects)


def _scene(names: list[str], conditions: scenes.Conditions, rng: Random) -> Scene:
    """The objects first, then the clutter."""
    many = rng.integers(conditions.clutter[0], conditions.clutter[1] + 1)
    places = _places(len(names) + int(many), rng)
    objects = [
        scenes.solid(OBJECTS[name](rng), rng, place, rng.uniform(0.8, 1.15), scenes.lies(name, rng))
        for name, place in zip(names, places, strict=False)
    ]
    clutter = [
        scenes.solid(CLUTTER[rng.integers(len(CLUTTER))](rng), rng, place, rng.uniform(0.7, 1.3), False)
        for place in places[len(names) :]
    ]
    right, above = rng.uniform(-conditions.off_centre, conditions.off_centre, 2)
    return scenes.room((*objects, *clutter), (right, above), conditions, rng)


def _places(count: int, rng: Random) -> list[tuple[float, float]]:
    """Points of the floor, none near another; nearer to the middle where there is little to place."""
    while True:
        reach = min(1.0, 0.45 + 0.14 * count)
        spots = rng.uniform(-1, 1, (count, 2)) * (_ACROSS * reach, _DEEP * reach)
        distance = np.linalg.norm(spots[:, None] - spots[None], axis=2) + 9 * np.eye(count)
        if distance.min() >= _APART:
            return [(float(x), float(z)) for x, z in spots]


def _inside_each_other(solids: tuple[Solid, ...]) -> bool:
    """Whether two solids share a point of a grid over the floor."""
    reach = (_ACROSS + 0.6, 1.3, _DEEP + 0.6)
    axes = [np.arange(0 if side == 1 else -far, far, _GRID, np.float32) for side, far in enumerate(reach)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    within = np.sum([one.distance(points) < 0 for one in solids], axis=0)
    return bool(within.max() > 1)


def _all_visible(scene: Scene, objects: int) -> bool:
    """Whether enough of each object's silhouette is inside the image and behind nothing."""
    seen = seen_solids(scene, _TRIAL_SIDE)
    for number in range(objects):
        alone = (seen_solids(_wide(scene, (scene.solids[number],)), 2 * _TRIAL_SIDE) == 0).sum()
        if (seen == number).sum() < _LEAST_VISIBLE * alone or not alone:
            return False
    return True


def _wide(scene: Scene, solids: tuple[Solid, ...]) -> Scene:
    """The scene with these solids only and twice the field of view."""
    return replace(scene, solids=solids, focal=scene.focal / 2)


def _box(shown: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])
