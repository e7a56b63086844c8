"""Lists an instructor's folders of images by file name; nothing is opened."""

from __future__ import annotations

from pathlib import Path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def class_folders(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Class name -> image files, both sorted, for a folder with one folder per class."""
    return {
        sub.name: tuple(
            sorted(f for f in sub.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith("."))
        )
        for sub in sorted(folder.iterdir())
        if sub.is_dir() and not sub.name.startswith(".")
    }


def images_in(folder: Path) -> tuple[Path, ...]:
    """The image files anywhere below a folder, sorted."""
    found = (f for f in folder.rglob("*") if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith("."))
    return tuple(sorted(f for f in found if f.is_file()))
