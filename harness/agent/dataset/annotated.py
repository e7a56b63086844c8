"""The images of a data set whose annotations are apart from them, in files that name images of any folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .image import Box, DatasetImage, Split, main_label, split_named
from .walk import Tree


def with_boxes(files: Tree, boxes: Mapping[Path, tuple[Box, ...]]) -> tuple[DatasetImage, ...]:
    """Every image, with its boxes; one that is not in `boxes` is not annotated. A folder's name tells the split."""
    return tuple(
        DatasetImage(
            file, main_label(mine := boxes.get(file, ())), _split(file, files.root), mine, annotated=file in boxes
        )
        for file in files.images()
    )


def _split(image: Path, root: Path) -> Split:
    named = (split_named(part) for part in image.relative_to(root).parts[:-1])
    return next((split for split in named if split), "")
