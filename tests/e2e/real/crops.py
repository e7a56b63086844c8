"""Class folders made from the real photographs in shared/data: playing cards cut out by their boxes, and fruit."""

from __future__ import annotations

import os
import random
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from PIL import Image

_REPOSITORY = Path(__file__).resolve().parents[3]
_MARGIN = 0.15  # of the box's side, on each side


def shared() -> Path:
    """The folder with the real data: $HARNESS_SHARED, else ../shared. Raises `FileNotFoundError`."""
    folder = Path(os.environ.get("HARNESS_SHARED", _REPOSITORY.parent / "shared"))
    if not (folder / "data").is_dir():
        raise FileNotFoundError(f"{folder}/data is not there; set HARNESS_SHARED to the folder that holds data/")
    return folder


def card_crops(out: Path) -> dict[str, int]:
    """`out`/train and /test/<class>/*.png: each box of the playing cards, with a margin. How many of each part.

    The split is the data set's own: 527 and 143.
    """
    counts = {}
    for part in ("train", "test"):
        source = shared() / "data" / "playing-cards" / part
        counts[part] = sum(_cut(annotation, out / part) for annotation in sorted(source.glob("*.xml")))
    return counts


def _cut(annotation: Path, out: Path) -> int:
    root = ElementTree.parse(annotation).getroot()
    picture = next(file for file in annotation.parent.glob(f"{annotation.stem}.*") if file.suffix != ".xml")
    boxes = root.findall("object")
    with Image.open(picture) as opened:
        image = opened.convert("RGB")
    for number, box in enumerate(boxes):
        name = box.findtext("name", "")
        left, top, right, bottom = (float(box.findtext(f"bndbox/{side}", "")) for side in _SIDES)
        across, down = _MARGIN * (right - left), _MARGIN * (bottom - top)
        inside = (
            max(0, round(left - across)),
            max(0, round(top - down)),
            min(image.width, round(right + across)),
            min(image.height, round(bottom + down)),
        )
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        image.crop(inside).save(folder / f"{annotation.stem}_{number}.png")
    return len(boxes)


_SIDES = ("xmin", "ymin", "xmax", "ymax")


def fruit_folders(out: Path, seed: int) -> dict[str, int]:
    """`out`/train and /test/<class>/*: the fruit, 12 and 5 of each class, drawn by `seed`. How many of each part."""
    counts = {"train": 0, "test": 0}
    source = shared() / "data" / "fruit" / "classification"
    for folder in sorted(path for path in source.rglob("*") if path.is_dir()):
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in (".jpg", ".jpeg", ".png"))
        random.Random(f"{seed} {folder.name}").shuffle(files)
        for index, file in enumerate(files):
            part = "test" if index < 5 else "train"
            target = out / part / folder.name
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target / file.name)
            counts[part] += 1
    return counts
