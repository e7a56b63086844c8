"""Renders the detection example's images: `python render_images.py [--out data] [--seed 1]`.

    <out>/train/       200 images as `camera-capture` would have saved them: Annotations/ (Pascal VOC), JPEGImages/,
                       ImageSets/Main/, labels.txt
    <out>/held_out/    80 images of other rooms, lights and distances, in the same layout

The same arguments give the same bytes. A second run finds the stamp of the first and does nothing.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

HERE = Path(__file__).resolve().parent
# The renderer of the classification example: beside it in the repository, in its folder where `harness init` put it.
RENDERER = next(top for top in (HERE, HERE.parent / "classification") if (top / "rendering").is_dir())
sys.path.append(str(RENDERER))
from rendering.once import rendered  # noqa: E402
from several_objects import CLASSES, HELD_OUT, TRAINING, Annotated, photographed  # noqa: E402

SIDE = 256  # pixels
SETS = {"train": (TRAINING, 200), "held_out": (HELD_OUT, 80)}
_LISTS = {"train": ("train", "trainval"), "held_out": ("test",)}  # of ImageSets/Main


def render_all(out: Path, seed: int) -> bool:
    """Render both sets into `out`, replacing an older rendering there. False when they were there already."""

    def lay_out() -> list[tuple[Path, str, int, int]]:
        return [job for part in SETS for job in _laid_out(out / part, part, seed)]

    code = (*sorted(HERE.glob("*.py")), *sorted((RENDERER / "rendering").glob("*.py")))
    return rendered(out, code, seed, lay_out, _render_one)


def _laid_out(folder: Path, part: str, seed: int) -> list[tuple[Path, str, int, int]]:
    """The folders and lists of a set, and a job for each image of it."""
    shutil.rmtree(folder, ignore_errors=True)
    for below in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / below).mkdir(parents=True)
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    _, count = SETS[part]
    for name in _LISTS[part]:
        listed = "".join(f"{number:04d}\n" for number in range(1, count + 1))
        (folder / "ImageSets" / "Main" / f"{name}.txt").write_text(listed)
    return [(folder, part, number, seed) for number in range(1, count + 1)]


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


def main() -> None:
    """Parse, render, say where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "data", help="folder for train/ and held_out/")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    new = render_all(arguments.out, arguments.seed)
    print(f"{arguments.out}: {'rendered' if new else 'already there'}")


if __name__ == "__main__":
    main()
