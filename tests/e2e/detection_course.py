"""A detection course that grades in seconds: coloured squares in a grid, and a reference of a few weights."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

CLASSES = ("blue", "red")
_COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220)}
SIDE, CELL = 300, 100  # pixels

# The mean colour of each of nine cells, and a box for each: exact, since objects fill their cells.
REFERENCE = """
from pathlib import Path
import torch
from torch import nn

class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.colours = nn.Conv2d(3, 3, 1)
        with torch.no_grad():
            self.colours.bias.copy_(torch.tensor([4.0, 0.0, 0.0]))
            self.colours.weight.copy_(torch.tensor([[0, 0, 0], [-9.0, 0, 9.0], [9.0, 0, -9.0]]).reshape(3, 3, 1, 1))
        ends = [(x / 3, y / 3, (x + 1) / 3, (y + 1) / 3) for y in range(3) for x in range(3)]
        self.places = nn.Parameter(torch.tensor([ends]))

    def forward(self, image):
        seen = self.colours(nn.functional.avg_pool2d(image, 100))
        return torch.softmax(seen.flatten(2).transpose(1, 2), 2), self.places + 0 * seen.mean()

def train(train_dir: Path, out_dir: Path, *, backbone, weights, seed, fine_tune_epochs=0):
    classes = (train_dir / "labels.txt").read_text().split()
    torch.onnx.export(Cells().eval(), (torch.zeros(1, 3, 300, 300),), str(out_dir / "model.onnx"), dynamo=False,
                      input_names=["input_0"], output_names=["scores", "boxes"])
    (out_dir / "labels.txt").write_text("BACKGROUND\\n" + "\\n".join(classes) + "\\n")
    return {}
"""
ASSIGNMENT = """\
title = "Two colours"
task = "detection"
points = 100
[handin]
model = "required"
[limits]
wall_seconds = 60
cell_seconds = 20
memory = "3 GB"
[execution]
mode = "as-handed-in"
[dataset]
path = "train"
[held_out]
path = "heldout"
[reference]
code = "transfer.py"
[robustness]
enabled = false
[[criteria]]
kind = "model_predicts"
points = 20
[[criteria]]
kind = "ap_vs_reference"
points = 40
[[criteria]]
kind = "counts_right"
points = 20
[[criteria]]
kind = "manual"
title = "Open questions"
points = 20
"""


def make_course(folder: Path) -> Path:
    """The assignment.toml of a course in `folder`, with images, boxes and reference code."""
    chance = random.Random(1)
    for part, count in (("train", 12), ("heldout", 10)):
        write_set(folder / part, count, chance.randrange(2**32))
    (folder / "transfer.py").write_text(REFERENCE)
    (folder / "assignment.toml").write_text(ASSIGNMENT)
    return folder / "assignment.toml"


def write_set(folder: Path, count: int, seed: int) -> None:
    """Images of two coloured cells each and their boxes, in Pascal VOC."""
    chance = random.Random(seed)
    for below in ("Annotations", "JPEGImages"):
        (folder / below).mkdir(parents=True)
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    rng = np.random.default_rng(chance.randrange(2**32))
    for number in range(count):
        pixels = rng.normal(120, 20, (SIDE, SIDE, 1)).repeat(3, axis=2)
        root = ElementTree.Element("annotation")
        for (x, y), name in zip(chance.sample([*itertools.product(range(3), repeat=2)], 2), CLASSES, strict=True):
            left, top = x * CELL, y * CELL
            pixels[top : top + CELL, left : left + CELL] = np.array(_COLOURS[name]) + rng.normal(0, 20, (CELL, CELL, 1))
            item = ElementTree.SubElement(root, "object")
            ElementTree.SubElement(item, "name").text = name
            box = ElementTree.SubElement(item, "bndbox")
            sides = (left + 1, top + 1, left + CELL + 1, top + CELL + 1)  # pixels count from 1
            for side, value in zip(("xmin", "ymin", "xmax", "ymax"), sides, strict=True):
                ElementTree.SubElement(box, side).text = str(value)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "JPEGImages" / f"{number}.png")
        (folder / "Annotations" / f"{number}.xml").write_text(ElementTree.tostring(root, "unicode"))
