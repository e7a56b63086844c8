"""train/, val/ and test/, each with a folder for each class."""

from __future__ import annotations

from .image import DatasetImage, Reading, split_named
from .walk import Tree, inner


def read(files: Tree) -> Reading | None:
    """Read the splits; None unless a top folder is called train, or two have names of splits."""
    root = inner(files.root)
    tops = {entry.name: split_named(entry.name) for entry in root.iterdir() if entry.is_dir()}
    named = [split for split in tops.values() if split]
    if "train" not in named and len(named) < 2:
        return None
    images = []
    for file in files.images():
        parts = file.relative_to(root).parts if file.is_relative_to(root) else ()
        split = (tops.get(parts[0]) or "other") if len(parts) > 1 else "other"
        images.append(DatasetImage(file, parts[1] if len(parts) > 2 else None, split))
    return Reading("split-folders", tuple(images), ())
