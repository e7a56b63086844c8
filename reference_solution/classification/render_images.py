"""Renders the example's images: `python render_images.py [--out data] [--seed 1]`.

    <out>/train/<class>/0001.jpg      70 of each class: what students train on
    <out>/heldout/<class>/0001.jpg    40 of each class: other rooms, lights and distances

The same arguments give the same bytes. A second run finds the stamp of the first and does nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rendering.scenes import HELD_OUT, TRAINING, picture
from rendering.shapes import OBJECTS

HERE = Path(__file__).resolve().parent
SIDE = 192  # pixels
SETS = {"train": (TRAINING, 70), "heldout": (HELD_OUT, 40)}
_STAMP = ".rendered"


def render_all(out: Path, seed: int) -> bool:
    """Render both sets into `out`, replacing an older rendering there. False when they were there already."""
    wanted = _stamp(seed)
    stamp = out / _STAMP
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    stamp.unlink(missing_ok=True)
    jobs = []
    for part, (_, count) in SETS.items():
        shutil.rmtree(out / part, ignore_errors=True)
        for name in OBJECTS:
            (out / part / name).mkdir(parents=True)
            jobs += [(out, part, name, number, seed) for number in range(1, count + 1)]
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.imap_unordered(_render_one, jobs, chunksize=4), 1):
            if done % 50 == 0 or done == len(jobs):
                print(f"{done}/{len(jobs)} images", file=sys.stderr)
    stamp.write_text(wanted)
    return True


def _render_one(job: tuple[Path, str, str, int, int]) -> None:
    out, part, name, number, seed = job
    conditions, _ = SETS[part]
    rng = np.random.default_rng([seed, list(SETS).index(part), list(OBJECTS).index(name), number])
    picture(name, conditions, rng, SIDE).save(out / part / name / f"{number:04d}.jpg", quality=90)


def _stamp(seed: int) -> str:
    """What the images depend on: this code and the seed."""
    code = hashlib.sha256()
    for file in (Path(__file__), *sorted((HERE / "rendering").glob("*.py"))):
        code.update(file.read_bytes())
    return f"{code.hexdigest()} seed {seed}\n"


def main() -> None:
    """Parse, render, say where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "data", help="folder for train/ and heldout/")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rendered = render_all(arguments.out, arguments.seed)
    print(f"{arguments.out}: {'rendered' if rendered else 'already there'}")


if __name__ == "__main__":
    main()
