"""Packs a model that is a folder into one file, as its library would have written it."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path


def plain_files(folder: Path) -> list[Path]:
    """The plain files below the folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def as_one_file(model: Path, folder: Path) -> Path:
    """The model's file; a folder (a SavedModel, an unpacked file) becomes a reproducible zip of its plain files."""
    if not model.is_dir():
        return model
    top = "" if (model / "model.weights.h5").is_file() else "model/"  # Keras wants its members at the top, torch below
    packed = folder / "model.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in plain_files(model):
            member = zipfile.ZipInfo(f"{top}{path.relative_to(model)}")
            member.file_size = path.stat().st_size  # set before writing, since above 2 GiB the header differs
            with path.open("rb") as source, archive.open(member, "w") as copy:
                shutil.copyfileobj(source, copy)
    folder.chmod(0o755)  # the sandbox's user reads mounts from here
    packed.chmod(0o644)
    return packed
