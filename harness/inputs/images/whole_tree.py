"""An instructor's data set with boxes as every program can read it: as it lies, without links."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from harness.errors import AssignmentError
from harness.inputs.images.folders import is_litter


def whole_tree(folder: Path, target: Path) -> Path:
    """The folder itself, or where it has links a copy at `target`, which must not exist, with files in their place.

    Litter is left out of a copy. Raises `AssignmentError` for links that lead nowhere or in a circle.
    """
    if not any(os.path.islink(os.path.join(parent, name)) for parent, name in _entries(folder)):  # noqa: PTH114, PTH118
        return folder
    try:
        shutil.copytree(folder, target, ignore=lambda _, names: {name for name in names if is_litter(name)})
    except (OSError, RecursionError) as error:
        raise AssignmentError(
            f"{folder}: a link in it cannot be followed: {str(error)[:300]}", "put the files themselves there"
        ) from error
    return target


def _entries(folder: Path) -> list[tuple[str, str]]:
    """Every folder and file below, as where it lies and its name; links are not entered."""
    return [(parent, name) for parent, folders, names in os.walk(folder) for name in (*folders, *names)]
