"""Which images of a data set a rerun sees, their names there, and how each is re-rendered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..dataset import Reading
from ..dataset.image import DatasetImage
from ..dataset.sizes import upright_size
from ..dataset.walk import Tree
from . import naming, pixels

_NAME = 200  # characters of a name that the audit keeps


@dataclass(frozen=True, slots=True)
class Kept:
    """An image of the rerun: `name` as in the audit, `path` in the new data set."""

    name: str
    path: PurePosixPath
    image: DatasetImage
    frame: pixels.Frame


@dataclass(frozen=True, slots=True)
class Plan:
    """The images of a rerun, in order."""

    root: Path
    kept: tuple[Kept, ...]
    classes: frozenset[str]  # of images and boxes, also of withheld images
    names_replaced: bool
    withheld: frozenset[Path]


@dataclass(frozen=True, slots=True)
class Choice:
    """Names of images, as in the audit: those that the rerun may see, and the withheld ones."""

    use: frozenset[str]
    withheld: frozenset[str]


def plan(files: Tree, reading: Reading, choice: Choice, secret: str, longest_side: int, source: str) -> Plan:
    """The plan of a rerun. `source`: all code of the notebook.

    Of two images with one name only the first is used, as in the audit.
    """
    chosen: dict[str, tuple[DatasetImage, tuple[int, int]]] = {}
    for image in reading.images:
        name = audited_name(image.file, files.root)
        if name in choice.use and name not in chosen and (size := upright_size(image.file)) is not None:
            chosen[name] = (image, size)
    images = [image for image, _ in chosen.values()]
    paths, replaced = naming.paths(images, files.root, source)
    kept = tuple(
        Kept(name, path, image, pixels.draw(size, longest_side, f"{secret} {name}"))
        for (name, (image, size)), path in zip(chosen.items(), paths, strict=True)
    )
    labels = {image.label for image in reading.images} | {box.label for image in reading.images for box in image.boxes}
    withheld = [file for file in files.images() if audited_name(file, files.root) in choice.withheld]
    return Plan(files.root, kept, frozenset(label for label in labels if label), replaced, frozenset(withheld))


def audited_name(file: Path, root: Path) -> str:
    """The name that the audit gives to a file (`harness/agent/phases/audit.py`)."""
    return str(file.relative_to(root)).encode("utf-8", "replace").decode()[:_NAME]
