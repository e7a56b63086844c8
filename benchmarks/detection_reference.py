"""Trains the reference detector on each data set with boxes, and prints the table of docs/reference.md.

    python benchmarks/detection_reference.py WEIGHTS [--backbone NAME] [--only cards,fruit,example]
        [--budget VIEWS,HEAD_STEPS,STEPS] [--write docs/reference.md]

WEIGHTS: the file that the backbone starts from (`harness weights fetch mobilenet_v2`). Reads the rendered example
(`python reference_solution/detection/render_images.py`), and the photographs in ../shared/data (or
$HARNESS_SHARED/data). The playing cards have a test part. The 23 photographs of fruit are cross-validated in three
parts, with a smaller budget. A row is about 6 minutes of one core. AP50 and its interval are those of students'
detectors (docs/detection-scores.md); each image is a scene of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scored_boxes import Scored, scored

from harness.agent.dataset import open_tree, read
from harness.agent.detectors.detector import Anchors, Detections
from harness.agent.detectors.suppression import TRAINERS, suppressed
from harness.agent.ssd.augmentation import plain
from harness.agent.ssd.examples import annotated, upright
from harness.agent.ssd.starts import STARTS, Start
from harness.agent.ssd.training import Budget, train
from harness.agent.ssd.views import Example, as_input

REPOSITORY = Path(__file__).resolve().parents[1]
SEED = 1
CARDS = ("ace", "jack", "king", "nine", "queen", "ten")
FRUIT = ("apple", "banana", "orange")
FRUIT_PARTS, FRUIT_BUDGET = 3, Budget(views=600, head_steps=60, steps=150)
_COLUMNS = ("data set", "training images", "scored on", "AP50 [95 % interval]", "of each class", "CPU")
HEADER = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"


@dataclass(frozen=True)
class Begun:
    """What the detectors start from, and how much is computed where it is not the start's whole budget."""

    start: Start
    weights: Path
    budget: Budget | None


def answers(
    train_on: Sequence[Example], test_on: Sequence[Example], classes: int, begun: Begun, smaller: Budget | None = None
) -> list[Detections]:
    """What a detector that was trained on the first says of the second."""
    start = begun.start
    budget = begun.budget or smaller or start.budget
    model = train(train_on, classes, start.read(begun.weights), SEED, budget, start.rates).model
    found = []
    for one in test_on:
        with torch.inference_mode():
            scores, boxes = model(as_input(plain(one.image)[None], model.layout))
        found.append(suppressed(Anchors(boxes[0].numpy(), scores[0, :, 1:].numpy(), first=1), TRAINERS))
    return found


def voc(folder: Path, classes: Sequence[str]) -> list[Example]:
    """The images of a folder with Pascal VOC's XML files."""
    with tempfile.TemporaryDirectory() as scratch:
        return annotated(read(open_tree(folder, Path(scratch))), classes)


def fruit(folder: Path) -> list[Example]:
    """The photographs of Microsoft's AI-102 exercises, whose boxes are relative to the image."""
    return [_fruit(folder, entry) for entry in json.loads((folder / "tagged-images.json").read_text())["files"]]


def _fruit(folder: Path, entry: dict) -> Example:
    image = upright(folder / entry["filename"])
    image.thumbnail((640, 640))
    tags = entry["tags"]
    corners = [(of["left"], of["top"], of["left"] + of["width"], of["top"] + of["height"]) for of in tags]
    labels = np.array([FRUIT.index(of["tag"]) + 1 for of in tags], np.int64)
    return Example(image, np.clip(np.array(corners, np.float32), 0, 1), labels)


def cross_validated(examples: list[Example], begun: Begun) -> Scored:
    """Every third image scored by a detector that was trained on the others."""
    found, asked = [], []
    for part in range(FRUIT_PARTS):
        inside = [one for i, one in enumerate(examples) if i % FRUIT_PARTS != part]
        asked += examples[part::FRUIT_PARTS]
        found += answers(inside, examples[part::FRUIT_PARTS], len(FRUIT), begun, FRUIT_BUDGET)
    return scored(found, asked, FRUIT)


def row(title: str, images: str, classes: Sequence[str], found: Scored, seconds: float) -> str:
    """One line of the table. Raises `ValueError` where no image has an object."""
    if found.ap50 is None or found.interval is None:
        raise ValueError(f"{title}: no image that is scored has an object")
    low, high = found.interval
    shown = zip(classes, found.per_class, strict=True)
    each = ", ".join(f"{name} {value:.2f}" for name, value in shown if value is not None)
    return (
        f"| {title} | {images} | {found.images} images, {found.objects} objects "
        f"| {found.ap50:.3f} [{low:.3f}, {high:.3f}] | {each} | {seconds:.0f} s |\n"
    )


def table(names: Sequence[str], begun: Begun) -> str:
    """The table of the data sets named, with all detectors trained now."""
    data = Path(os.environ.get("HARNESS_SHARED", REPOSITORY.parent / "shared")) / "data"
    example = REPOSITORY / "reference_solution" / "detection" / "data"
    lines = HEADER
    for name in names:
        before = _cpu_seconds()
        if name == "fruit":
            classes: Sequence[str] = FRUIT
            title, images = "Fruit, cross-validated", fruit(data / "fruit" / "detection")
            found, count = cross_validated(images, begun), f"{len(images) * 2 // 3}"
        else:
            if name == "cards":
                title, folder, parts, classes = "Playing cards", data / "playing-cards", ("train", "test"), CARDS
            else:
                title, folder, parts = "Example, rendered", example, ("train", "held_out")
                classes = (example / "train" / "labels.txt").read_text().split()
            inside, outside = (voc(folder / part, classes) for part in parts)
            said, count = answers(inside, outside, len(classes), begun), str(len(inside))
            found = scored(said, outside, classes)
        lines += row(title, count, classes, found, _cpu_seconds() - before)
        print(lines.splitlines()[-1], file=sys.stderr, flush=True)
    return lines


def _budget(text: str) -> Budget:
    views, head_steps, steps = map(int, text.split(","))
    return Budget(views, head_steps, steps)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the table, or write it between the marks of a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--backbone", default="mobilenet_v2", choices=STARTS)
    parser.add_argument("--budget", type=_budget)
    parser.add_argument("--only", default="example,cards,fruit")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    lines = table(given.only.split(","), Begun(STARTS[given.backbone], given.weights, given.budget))
    if given.write is None:
        print(lines, end="")
        return
    marks = r"(<!-- detection figures -->\n)(.*?)(<!-- end of detection figures -->)"
    page = given.write.read_text()
    given.write.write_text(re.sub(marks, lambda found: found[1] + lines + found[3], page, flags=re.DOTALL))


if __name__ == "__main__":
    main()
