"""Open Images: a CSV with a row for each box, as jetson-inference's `open_images_downloader.py` writes it.

`sub-train-annotations-bbox.csv` beside `train/`, and so on; sides are shares of the image's.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .encodings import text_of
from .image import Box, DatasetImage, Reading, Split, main_label, split_named
from .labels import listed
from .sizes import upright_size
from .walk import Tree

_MOST_BYTES = 64 * 2**20  # of one CSV
_MOST_OBJECTS = 1000  # of one image
_MOST_FAULTS = 100
IMAGE, SIDES, CLASSES = "imageid", ("xmin", "ymin", "xmax", "ymax"), ("classname", "labelname")


@dataclass(frozen=True, slots=True)
class Table:
    """One CSV. `columns`: as its head calls them. `boxes`: of each image that it names, in their order."""

    file: Path
    columns: tuple[str, ...]
    boxes: Mapping[Path, tuple[Box, ...]]
    absent: tuple[str, ...]  # images that it names and that are not there
    cut: int = 0  # rows that were left out because their image has very many


def read(files: Tree) -> Reading | None:
    """Read such tables; None when no CSV is one. Images that no table names have no class."""
    found = tables(files)
    if not found:
        return None
    boxes: dict[Path, tuple[Box, ...]] = {}
    for table in found:
        for image, mine in table.boxes.items():
            boxes[image] = (*boxes.get(image, ()), *mine)
    images = tuple(
        DatasetImage(
            file,
            main_label(boxes.get(file, ())),
            _split(file, files.root),
            boxes.get(file, ()),
            annotated=file in boxes,
        )
        for file in files.images()
    )
    absent = [f"{one.file.name}: there is no image {name[:200]!r}" for one in found for name in one.absent]
    absent += [
        f"{one.file.name}: {one.cut:,} objects are left out: an image has more than {_MOST_OBJECTS:,}"
        for one in found
        if one.cut
    ]
    return Reading("open-images", images, tuple(absent[:_MOST_FAULTS]), listed(files))


def tables(files: Tree) -> list[Table]:
    """Every CSV with the columns of an image, a class and four sides."""
    by_stem: dict[str, list[Path]] = {}
    for file in files.images():
        by_stem.setdefault(file.stem.lower(), []).append(file)
    sizes: dict[Path, tuple[float, float]] = {}
    return [table for file in files.ending(".csv") if (table := _table(file, by_stem, sizes)) is not None]


def _table(file: Path, by_stem: Mapping[str, list[Path]], sizes: dict[Path, tuple[float, float]]) -> Table | None:
    if file.stat().st_size > _MOST_BYTES:
        return None
    rows = csv.reader(io.StringIO(text_of(file.read_bytes())))
    try:
        head = [cell.strip() for cell in next(rows, [])]
        at = {name.lower(): place for place, name in enumerate(head)}
        class_at = next((at[name] for name in CLASSES if name in at), None)
        if class_at is None or IMAGE not in at or not set(SIDES) <= set(at):
            return None
        found: dict[Path, list[Box]] = {}
        absent: dict[str, None] = {}
        cut = 0
        for row in rows:
            cells = [*row, *[""] * len(head)]
            image = _image(cells[at[IMAGE]].strip(), file, by_stem)
            if image is None:
                absent.setdefault(cells[at[IMAGE]].strip())
                continue
            if image not in sizes:
                sizes[image] = upright_size(image) or (math.nan, math.nan)
            width, height = sizes[image]
            left, top, right, bottom = (_number(cells[at[side]]) for side in SIDES)
            label = " ".join(cells[class_at].split())
            mine = found.setdefault(image, [])
            if len(mine) == _MOST_OBJECTS:
                cut += 1
            else:
                mine.append(Box(label, left * width, top * height, right * width, bottom * height))
    except csv.Error:
        return None
    return Table(file, tuple(head), {image: tuple(boxes) for image, boxes in found.items()}, tuple(absent), cut)


def _image(name: str, table: Path, by_stem: Mapping[str, list[Path]]) -> Path | None:
    """The image with this id, one of the table's split before others."""
    stem = name.lower()
    candidates = by_stem.get(stem) or by_stem.get(stem.rsplit(".", 1)[0], [])
    split = _split_of_table(table)
    return next(
        (one for one in candidates if split and split_named(one.parent.name) == split), next(iter(candidates), None)
    )


def _split_of_table(table: Path) -> Split | None:
    return next((split for word in table.stem.lower().split("-") if (split := split_named(word))), None)


def _split(image: Path, root: Path) -> Split:
    named = (split_named(part) for part in image.relative_to(root).parts[:-1])
    return next((split for split in named if split), "")


def _number(text: str) -> float:
    """The number in the text; NaN when it is not one."""
    try:
        return float(text)
    except ValueError:
        return math.nan
