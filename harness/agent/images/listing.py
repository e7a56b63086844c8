"""Which files and folders are images and classes, by name; as `harness/inputs/images/folders.py` has it."""

from __future__ import annotations

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".avif"),
    *(".jp2", ".j2k", ".ppm", ".pgm"),
)
_LITTER = (
    *("__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "__pycache__"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
)


def is_litter(name: str) -> bool:
    """Whether a system put a file or folder of this name there, or it is hidden."""
    return name.startswith(".") or name.casefold() in _LITTER
