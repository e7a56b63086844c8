"""A package gives nothing away: each secret is planted into it in turn, and found."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from harness.files.hashing import file_sha256
from harness.grading.release.leaks import leaks
from harness.inputs.assignment import Assignment, load

CODE = """\
import torch

def train(train_dir, out_dir, *, backbone, weights, seed):
    features = extract_features(backbone, weights, train_dir)
    penalty, accuracy = best_penalty(features, seed)
    head = fit_the_head_by_lbfgs(features, penalty)
    write_model_as_onnx(head, out_dir / "model.onnx")
"""
ASSIGNMENT = """\
title = "Two objects"
[dataset]
path = "train"
[held_out]
mode = "both"
path = "kept-back"
[own_dataset]
seed = 48151623
[reference]
code = "transfer.py"
[[criteria]]
kind = "model_predicts"
points = 10
"""


def photograph(seed: int) -> Image.Image:
    """An image with detail, unlike that of any other seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    folder = tmp_path_factory.mktemp("course")
    for part, first in (("train", 0), ("kept-back", 100)):
        for label, name in enumerate(("ball", "mug")):
            (folder / part / name).mkdir(parents=True)
            for number in range(3):
                photograph(first + 10 * label + number).save(folder / part / name / f"{number}.png")
    (folder / "kept-back" / "mug" / "red-mug-from-above-at-night.png").write_bytes(
        (folder / "kept-back" / "mug" / "0.png").read_bytes()
    )
    (folder / "transfer.py").write_text(CODE)
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": SOLVED}]
    (folder / "solution.ipynb").write_text(json.dumps({"cells": cells}))
    (folder / "assignment.toml").write_text(ASSIGNMENT)
    return load(folder / "assignment.toml")


SOLVED = "\n".join(f"answer_{number} = solved_by_the_course({number})" for number in range(5))


@pytest.fixture
def package(assignment: Assignment, tmp_path: Path) -> Path:
    """A package without a leak: the training images, a notebook and a text."""
    for name in ("ball", "mug"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number, file in enumerate(sorted((assignment.file.parent / "train" / name).iterdir())):
            (tmp_path / "images" / name / f"{number}.png").write_bytes(file.read_bytes())
    (tmp_path / "README.md").write_text("Recognise a ball and a mug.\n")
    (tmp_path / "start.ipynb").write_text(json.dumps({"cells": []}))
    return tmp_path


def test_a_package_of_what_is_public_has_no_leak(assignment: Assignment, package: Path):
    assert leaks(package, assignment) == []


ALTERED: dict[str, Callable[[Image.Image, Path], None]] = {
    "pixels": lambda image, file: image.save(file.with_suffix(".bmp")),
    "jpeg": lambda image, file: image.save(file.with_suffix(".jpg"), quality=60),
    "small": lambda image, file: image.resize((160, 120)).save(file.with_suffix(".jpg"), quality=80),
    "mirrored": lambda image, file: ImageOps.mirror(image).save(file.with_suffix(".png")),
    "turned": lambda image, file: image.rotate(90, expand=True).save(file.with_suffix(".webp")),
    "brighter": lambda image, file: image.point(lambda v: min(255, int(v * 1.15))).save(file.with_suffix(".png")),
}


@pytest.mark.parametrize("way", ALTERED)
def test_a_held_out_image_is_found_however_it_was_saved(assignment: Assignment, package: Path, way: str):
    assert assignment.held_out.path is not None
    with Image.open(assignment.held_out.path / "ball" / "1.png") as image:
        ALTERED[way](image.convert("RGB"), package / "images" / "mug" / "planted")
    (found,) = leaks(package, assignment)
    assert "planted" in found and found.endswith("ball/1.png")


def test_images_without_detail_are_copies_only_when_they_are_equal(assignment: Assignment, package: Path):
    assert assignment.held_out.path is not None
    flat = assignment.held_out.path / "ball" / "flat.png"
    Image.new("RGB", (64, 64), (90, 20, 20)).save(flat)
    try:
        Image.new("RGB", (64, 64), (20, 20, 160)).save(package / "images" / "ball" / "blue.png")
        assert leaks(package, assignment) == []
        Image.new("RGB", (64, 64), (90, 20, 20)).save(package / "images" / "ball" / "red.jpg", quality=90)
        assert any("red.jpg" in found for found in leaks(package, assignment))
    finally:
        flat.unlink()


def held_out(assignment: Assignment) -> Path:
    assert assignment.held_out.path is not None
    return assignment.held_out.path


def attached(assignment: Assignment) -> str:
    """A notebook's JSON with a held-out image attached to a cell."""
    stream = io.BytesIO()
    with Image.open(held_out(assignment) / "mug" / "1.png") as image:
        image.convert("RGB").save(stream, "JPEG")
    encoded = base64.b64encode(stream.getvalue()).decode()
    return json.dumps({"cells": [{"cell_type": "markdown", "attachments": {"a": {"image/jpeg": encoded}}}]})


def solved(source: str) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": source}]})


PLANTED: dict[str, tuple[Callable[[Assignment], str], str]] = {
    "bytes": (lambda a: (held_out(a) / "mug" / "2.png").read_bytes().decode("latin-1"), "is the held-out image"),
    "hash": (lambda a: f'{{"{file_sha256(held_out(a) / "mug" / "2.png")}": "mug"}}', "the hash of the held-out image"),
    "name": (lambda a: "red-mug-from-above-at-night.png,mug", "the name of the held-out image"),
    "path": (lambda a: f"cp -r {held_out(a)} .", "the path of the held-out images"),
    "seed": (lambda a: "[own_dataset]\nseed = 48151623", "the seed"),
    "code": (lambda a: CODE, "lines of transfer.py"),
    "code in a cell": (lambda a: solved(CODE), "lines of transfer.py"),
    "solution": (lambda a: solved(SOLVED), "lines of solution.ipynb"),
    "attachment": (attached, "is the held-out image"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_secret_in_a_text_is_found(assignment: Assignment, package: Path, what: str):
    make, said = PLANTED[what]
    name = "planted.ipynb" if what in ("code in a cell", "solution", "attachment") else "planted.txt"
    (package / name).write_bytes(make(assignment).encode("latin-1"))
    found = leaks(package, assignment)
    assert any(one.startswith("planted") and said in one for one in found), found
