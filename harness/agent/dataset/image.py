"""What the data set says about an image before it is decoded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Layout = Literal["class-folders", "split-folders", "voc", "coco", "yolo", "open-images", "custom-vision"]
Split = Literal["", "train", "val", "test", "other"]

_SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "trainset": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "testset": "test",
    "eval": "test",
    "heldout": "test",
    "held_out": "test",
    "holdout": "test",
}
_AROUND = ("set", "data", "images", "img", "pictures")  # `train_data`, `images_test`


class Unreadable(Exception):
    """The data set, or its archive, cannot be read. The message is for the student."""


@dataclass(frozen=True, slots=True)
class Box:
    """An object's box as the annotation gives it: in pixels, possibly reversed, outside the image or NaN."""

    label: str
    left: float
    top: float
    right: float
    bottom: float
    ignored: bool = False  # counts neither as found nor as missed: VOC's `difficult`, COCO's crowd

    def area(self) -> float:
        """The area in square pixels; 0 for an empty or invalid box."""
        area = (self.right - self.left) * (self.bottom - self.top)
        return area if math.isfinite(area) and self.right > self.left and self.bottom > self.top else 0.0


@dataclass(frozen=True, slots=True)
class DatasetImage:
    """An image file. `label` is None when nothing says what it shows."""

    file: Path
    label: str | None
    split: Split = ""
    boxes: tuple[Box, ...] = ()
    stated_size: tuple[int, int] | None = None  # width and height as the annotation says
    annotated: bool = True  # False where boxes were asked for and no annotation names the image

    @property
    def shows_one_class(self) -> bool:
        return self.label is not None and len({box.label for box in self.boxes}) <= 1


@dataclass(frozen=True, slots=True)
class Reading:
    """A data set as it was handed in."""

    layout: Layout
    images: tuple[DatasetImage, ...]
    faults: tuple[str, ...]  # annotations that cannot be used, each in a few words
    labels: tuple[str, ...] | None = None  # of labels.txt, for boxes; None without one
    in_several: int = 0  # images that the lists put into more than one of train, val and test
    outlines: int = 0  # objects drawn as polygons or masks, of which the box around was taken


def split_named(name: str) -> Split | None:
    """The split that a folder or list of this name holds; None when the name is not a split's."""
    plain = name.lower().replace("-", "_").strip("_ ")
    if plain in _SPLITS:
        return _SPLITS[plain]
    parts = [part for part in plain.split("_") if part not in _AROUND]
    return _SPLITS.get(parts[0]) if len(parts) == 1 else None


def main_label(boxes: tuple[Box, ...]) -> str | None:
    """The class of the largest box, or of the first among equals; None without boxes."""
    return max(boxes, key=Box.area).label if boxes else None
