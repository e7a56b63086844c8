"""Open Images: a CSV with a row for each box, as jetson-inference's `open_images_downloader.py` writes it.

`sub-train-annotations-bbox.csv` beside `train/`, and so on; sides are shares of the image's.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .annotated import with_boxes
from .encodings import text_of
from .image import Box, Reading, Split, split_named
from .labels import listed
from .sizes import upright_size
from .walk import Tree, folded

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
    unread: tuple[str, ...]  # what of it was passed over, and why


def read(files: Tree) -> Reading | None:
    """Read such tables; None when no CSV is one. Images that no table names have no class."""
    found = tables(files)
    if not found:
        return None
    boxes: dict[Path, tuple[Box, ...]] = {}
    for table in found:
        for image, mine in table.boxes.items():
            boxes[image] = (*boxes.get(image, ()), *mine)
    images = with_boxes(files, boxes)
    faults = [f"{one.file.name}: {what}" for one in found for what in one.unread]
    faults += [f"{one.file.name}: there is no image {name[:200]!r}" for one in found for name in one.absent]
    return Reading("open-images", images, tuple(faults[:_MOST_FAULTS]), listed(files))


def tables(files: Tree) -> list[Table]:
    """Every CSV with the columns of an image, a class and four sides."""
    by_stem: dict[str, list[Path]] = {}
    for file in files.images():
        by_stem.setdefault(folded(file.stem), []).append(file)
    sizes: dict[Path, tuple[float, float]] = {}
    return [table for file in files.ending(".csv") if (table := _table(file, by_stem, sizes)) is not None]


def _table(file: Path, by_stem: Mapping[str, list[Path]], sizes: dict[Path, tuple[float, float]]) -> Table | None:
    """The table in the file; None when its first row is not that of one."""
    text, unread = _text(file)
    rows = csv.reader(io.StringIO(text))
    try:
        head = [cell.strip() for cell in next(rows, [])]
    except csv.Error:
        return None
    at = {name.lower(): place for place, name in enumerate(head)}
    class_at = next((at[name] for name in CLASSES if name in at), None)
    if class_at is None or IMAGE not in at or not set(SIDES) <= set(at):
        return None
    found: dict[Path, list[Box]] = {}
    absent: dict[str, None] = {}
    cut = 0
    for row in _readable(rows, unread):
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
    if cut:
        unread.append(f"{cut:,} objects are left out: an image has more than {_MOST_OBJECTS:,}")
    boxes = {image: tuple(mine) for image, mine in found.items()}
    return Table(file, tuple(head), boxes, tuple(absent), tuple(unread))


def _text(file: Path) -> tuple[str, list[str]]:
    """The whole rows among the first bytes of the file, and what is said where there are more."""
    with file.open("rb") as stream:
        content = stream.read(_MOST_BYTES)
        is_cut = bool(stream.read(1))
    text = text_of(content)
    if not is_cut:
        return text, []
    return text[: text.rfind("\n") + 1], [f"what comes after its first {_MOST_BYTES >> 20} MiB is not read"]


def _readable(rows: Iterator[list[str]], unread: list[str]) -> Iterator[list[str]]:
    """The rows but those that cannot be read, as one with a cell of 128 KiB; these are added to `unread`."""
    number = 1
    while True:
        number += 1
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            if len(unread) < _MOST_FAULTS:
                unread.append(f"row {number} cannot be read: {error}")


def _image(name: str, table: Path, by_stem: Mapping[str, list[Path]]) -> Path | None:
    """The image with this id, one of the table's split before others."""
    stem = folded(name)
    candidates = by_stem.get(stem) or by_stem.get(stem.rsplit(".", 1)[0], [])
    split = _split_of_table(table)
    return next(
        (one for one in candidates if split and split_named(one.parent.name) == split), next(iter(candidates), None)
    )


def _split_of_table(table: Path) -> Split | None:
    return next((split for word in table.stem.lower().split("-") if (split := split_named(word))), None)


def _number(text: str) -> float:
    """The number in the text; NaN when it is not one."""
    try:
        return float(text)
    except ValueError:
        return math.nan
