"""Renders the example's images: `python render_images.py [--out data] [--seed 1]`.

    <out>/train/<class>/0001.jpg      70 of each class: what students train on
    <out>/heldout/<class>/0001.jpg    40 of each class: other rooms, lights and distances

The same arguments give the same bytes. A second run finds the stamp of the first and does nothing.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
from rendering.once import rendered
from rendering.scenes import HELD_OUT, TRAINING, picture
from rendering.shapes import OBJECTS

HERE = Path(__file__).resolve().parent
SIDE = 192  # pixels
SETS = {"train": (TRAINING, 70), "heldout": (HELD_OUT, 40)}


def render_all(out: Path, seed: int) -> bool:
    """Render both sets into `out`, replacing an older rendering there. False when they were there already."""

    def lay_out() -> list[tuple[Path, str, str, int, int]]:
        jobs = []
        for part, (_, count) in SETS.items():
            shutil.rmtree(out / part, ignore_errors=True)
            for name in OBJECTS:
                (out / part / name).mkdir(parents=True)
                jobs += [(out, part, name, number, seed) for number in range(1, count + 1)]
        return jobs

    return rendered(out, (Path(__file__), *sorted((HERE / "rendering").glob("*.py"))), seed, lay_out, _render_one)


def _render_one(job: tuple[Path, str, str, int, int]) -> None:
    out, part, name, number, seed = job
    conditions, _ = SETS[part]
    rng = np.random.default_rng([seed, list(SETS).index(part), list(OBJECTS).index(name), number])
    picture(name, conditions, rng, SIDE).save(out / part / name / f"{number:04d}.jpg", quality=90)


def main() -> None:
    """Parse, render, say where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "data", help="folder for train/ and heldout/")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    new = render_all(arguments.out, arguments.seed)
    print(f"{arguments.out}: {'rendered' if new else 'already there'}")


if __name__ == "__main__":
    main()
