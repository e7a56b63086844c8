"""Renders the detection example's images: `python render_images.py [--out data] [--seed 1]`.

    <out>/train/       200 images as `camera-capture` would have saved them: Annotations/ (Pascal VOC), JPEGImages/,
                       ImageSets/Main/, labels.txt
    <out>/held_out/    80 images of other rooms, lights and distances, in the same layout

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
from xml.etree import ElementTree

import numpy as np

HERE = Path(__file__).resolve().parent
RENDERER = HERE.parent / "classification"
sys.path.append(str(RENDERER))  # the renderer of the classification example
from several_objects import CLASSES, HELD_OUT, TRAINING, Annotated, photographed  # noqa: E402

SIDE = 256  # pixels
SETS = {"train": (TRAINING, 200), "held_out": (HELD_OUT, 80)}
_LISTS = {"train": ("train", "trainval"), "held_out": ("test",)}  # of ImageSets/Main
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
        for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
            (out / part / folder).mkdir(parents=True)
        (out / part / "labels.txt").write_text("".join(f"{name}\n" for name in CLASSES))
        for name in _LISTS[part]:
            listed = "".join(f"{number:04d}\n" for number in range(1, count + 1))
            (out / part / "ImageSets" / "Main" / f"{name}.txt").write_text(listed)
        jobs += [(out / part, part, number, seed) for number in range(1, count + 1)]
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.imap_unordered(_render_one, jobs, chunksize=4), 1):
            if done % 50 == 0 or done == len(jobs):
                print(f"{done}/{len(jobs)} images", file=sys.stderr)
    stamp.write_text(wanted)
    return True


def _render_one(job: tuple[Path, str, int, int]) -> None:
    folder, part, number, seed = job
    conditions, _ = SETS[part]
    found = photographed(conditions, np.random.default_rng([seed, 2, list(SETS).index(part), number]), SIDE)
    found.image.save(folder / "JPEGImages" / f"{number:04d}.jpg", quality=90)
    annotation = _annotation(f"{number:04d}.jpg", found)
    ElementTree.ElementTree(annotation).write(folder / "Annotations" / f"{number:04d}.xml")


def _annotation(filename: str, found: Annotated) -> ElementTree.Element:
    """Pascal VOC, which counts pixels from 1."""
    root = ElementTree.Element("annotation")
    _add(root, filename=filename, folder="JPEGImages")
    _add(ElementTree.SubElement(root, "size"), width=found.image.width, height=found.image.height, depth=3)
    for name, (left, top, right, bottom) in found.objects:
        item = ElementTree.SubElement(root, "object")
        _add(item, name=name, difficult=0, truncated=0)
        _add(ElementTree.SubElement(item, "bndbox"), xmin=left + 1, ymin=top + 1, xmax=right + 1, ymax=bottom + 1)
    ElementTree.indent(root)
    return root


def _add(element: ElementTree.Element, **texts: str | int) -> None:
    for name, text in texts.items():
        ElementTree.SubElement(element, name).text = str(text)


def _stamp(seed: int) -> str:
    """What the images depend on: this code, the renderer's and the seed."""
    code = hashlib.sha256()
    for file in (*sorted(HERE.glob("*.py")), *sorted((RENDERER / "rendering").glob("*.py"))):
        code.update(file.read_bytes())
    return f"{code.hexdigest()} seed {seed}\n"


def main() -> None:
    """Parse, render, say where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "data", help="folder for train/ and held_out/")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rendered = render_all(arguments.out, arguments.seed)
    print(f"{arguments.out}: {'rendered' if rendered else 'already there'}")


if __name__ == "__main__":
    main()
