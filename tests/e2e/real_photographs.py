"""Assignments on the real photographs beside the checkout: playing cards and fruit, cut out by their boxes."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from PIL import Image

_MARGIN = 0.15  # of the box's side, on each side
_SIDES = ("xmin", "ymin", "xmax", "ymax")

_ASSIGNMENT = """\
title = "{title}"
weights = ["{weights}"]

[limits]
wall_seconds = 900
memory = "6 GB"

[dataset]
path = "train"

[held_out]
path = "test"

[reference]
backbone = "{weights}"
wall_seconds = 1800

[[criteria]]
kind = "model_predicts"
points = 10

[[criteria]]
kind = "accuracy_vs_reference"
points = 90
"""


def cards(data: Path, out: Path, backbone: str) -> Path:
    """Six ranks of playing cards, 527 crops to train on and 143 to test, the data set's own split: assignment.toml."""
    for part in ("train", "test"):
        for annotation in sorted((data / "playing-cards" / part).glob("*.xml")):
            _cut_cards(annotation, out / part)
    return _assignment(out, "Playing cards", backbone)


def fruit(data: Path, out: Path, backbone: str) -> Path:
    """Three kinds of fruit, 51 photographs to train on; the test are the crops of 23 other photographs."""
    shutil.copytree(data / "fruit" / "classification", out / "train", ignore=lambda _, names: {"LICENSE"} & set(names))
    tagged = json.loads((data / "fruit" / "detection" / "tagged-images.json").read_text())
    for entry in tagged["files"]:
        with Image.open(data / "fruit" / "detection" / entry["filename"]) as opened:
            image = opened.convert("RGB")
        for number, tag in enumerate(entry["tags"]):
            left, top = tag["left"] * image.width, tag["top"] * image.height
            box = (left, top, left + tag["width"] * image.width, top + tag["height"] * image.height)
            _cut(image, box, out / "test" / tag["tag"] / f"{Path(entry['filename']).stem}_{number}.png")
    return _assignment(out, "Fruit", backbone)


def _assignment(out: Path, title: str, backbone: str) -> Path:
    file = out / "assignment.toml"
    file.write_text(_ASSIGNMENT.format(title=title, weights=backbone))
    return file


def _cut_cards(annotation: Path, out: Path) -> None:
    image = next(file for file in annotation.parent.glob(f"{annotation.stem}.*") if file.suffix != ".xml")
    with Image.open(image) as opened:
        image = opened.convert("RGB")
    for number, item in enumerate(ElementTree.parse(annotation).getroot().findall("object")):
        left, top, right, bottom = (float(item.findtext(f"bndbox/{side}", "")) for side in _SIDES)
        _cut(image, (left, top, right, bottom), out / item.findtext("name", "") / f"{annotation.stem}_{number}.png")


def _cut(image: Image.Image, box: tuple[float, float, float, float], file: Path) -> None:
    left, top, right, bottom = box
    across, down = _MARGIN * (right - left), _MARGIN * (bottom - top)
    inside = (
        max(0, round(left - across)),
        max(0, round(top - down)),
        min(image.width, round(right + across)),
        min(image.height, round(bottom + down)),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    image.crop(inside).save(file)
