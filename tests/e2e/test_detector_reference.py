"""`harness reference train` for detection, with an instructor's own code: trained, scored as a submission, written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from command_line import run_harness
from PIL import Image
from small_course import with_weights

# Says of each image that a cup is in its left half and, less surely, a plate in its right.
CODE = """
import torch

class Fixed(torch.nn.Module):
    def forward(self, image):
        nothing = image.mean() * 0
        scores = torch.tensor([[[0.1, 0.9, 0.0], [0.2, 0.0, 0.8], [1.0, 0.0, 0.0]]]) + nothing
        boxes = torch.tensor([[[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0], [0.4, 0.4, 0.6, 0.6]]]) + nothing
        return scores, boxes

def train(train_dir, out_dir, *, backbone, weights, seed, fine_tune_epochs):
    torch.onnx.export(Fixed(), (torch.zeros(1, 3, 64, 64),), str(out_dir / "model.onnx"), dynamo=False,
                      input_names=["input_0"], output_names=["scores", "boxes"])
    names = (train_dir / "labels.txt").read_text().split()
    (out_dir / "labels.txt").write_text("\\n".join(["BACKGROUND", *names]))
"""
OBJECT = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>1</ymin><xmax>{}</xmax><ymax>80</ymax></bndbox></object>"
ASSIGNMENT = """\
title = "Cups and plates"
task = "detection"
[limits]
wall_seconds = 60
cell_seconds = 20
memory = "2 GB"
[dataset]
path = "train"
[held_out]
path = "held_out"
[robustness]
enabled = false
[reference]
code = "mine.py"
[[criteria]]
kind = "model_predicts"
points = 100
"""


def voc(folder: Path, images: int, seed: int) -> None:
    """Images of noise, each with a cup in its left half; every other one has a plate in its right."""
    random = np.random.default_rng(seed)
    for below in ("Annotations", "JPEGImages"):
        (folder / below).mkdir(parents=True)
    for number in range(images):
        pixels = random.integers(0, 256, (10, 15, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((120, 80)).save(folder / "JPEGImages" / f"{number}.jpg")
        drawn = OBJECT.format("cup", 1, 60) + (OBJECT.format("plate", 61, 120) if number % 2 else "")
        (folder / "Annotations" / f"{number}.xml").write_text(f"<annotation>{drawn}</annotation>")
    (folder / "labels.txt").write_text("cup\nplate\n")


def test_it_is_scored_written_and_not_trained_twice(fetched_weights: Path, tmp_path: Path) -> None:
    voc(tmp_path / "train", 8, 1)
    voc(tmp_path / "held_out", 12, 2)
    (tmp_path / "mine.py").write_text(CODE)
    (tmp_path / "assignment.toml").write_text(ASSIGNMENT)
    cache = with_weights(fetched_weights, tmp_path / "cache")
    command = ("reference", "train", tmp_path / "assignment.toml", "--sandbox", "bubblewrap")
    first = run_harness(*command, cache=cache)
    assert first.returncode == 0, first.stderr
    assert "Training the reference (mine.py); this is done once ..." in first.stderr
    # Every cup is found at its place; half of the images have a plate where one is said to be.
    assert first.stdout.startswith("mine.py: AP50 0.7"), first.stdout
    assert "on 12 held-out images; trained in" in first.stdout
    written = {file.name for file in (tmp_path / "baseline").iterdir()}
    assert written == {"model.onnx", "labels.txt", "baseline.json"}
    assert (tmp_path / "baseline" / "labels.txt").read_text() == "BACKGROUND\ncup\nplate"
    told = json.loads((tmp_path / "baseline" / "baseline.json").read_text())
    cup, plate = told["evaluation"]["per_class"]
    assert (cup["scores"]["ap50"], plate["objects"]) == (1.0, 6)
    assert all((tmp_path / "baseline" / name).stat().st_mode & 0o077 == 0 for name in written)
    again = run_harness(*command, "--json", cache=cache)
    assert "The reference (mine.py) is up to date." in again.stderr
    assert json.loads(again.stdout)["evaluation"] == told["evaluation"]
