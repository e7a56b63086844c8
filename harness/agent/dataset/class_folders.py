"""A folder for each class. An image's class is the top folder that it lies in, however deep."""

from __future__ import annotations

from .image import DatasetImage, Reading, Split, split_named
from .walk import Tree, inner


def read(files: Tree) -> Reading | None:
    """Read any data set; images outside of all folders have no class. A split may lie below the class: `mug/train/`."""
    root = inner(files.root)
    images = []
    for file in files.images():
        parts = file.relative_to(root).parts if file.is_relative_to(root) else ()
        split: Split = next(filter(None, map(split_named, parts[1:-1])), "")
        images.append(DatasetImage(file, parts[0] if len(parts) > 1 else None, split))
    return Reading("class-folders", tuple(images), ())
