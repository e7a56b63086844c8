"""Writes the public images anew: upright, 8-bit RGB, without metadata, under names that say nothing but their class."""

from __future__ import annotations

from pathlib import Path

from harness.errors import AssignmentError
from harness.inputs.images.decoding import UNDECODABLE, upright_rgb
from harness.inputs.images.folders import class_folders

_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
_QUALITY = 95


def write_images(folder: Path, target: Path) -> int:
    """Write the class folders to `target`, in the order of their names; return how many images there are.

    JPEG stays JPEG, everything else becomes PNG. Raises `AssignmentError`, which names every image
    that does not decode.
    """
    count, unreadable = 0, []
    for name, files in class_folders(folder).items():
        (target / name).mkdir(parents=True)
        for number, file in enumerate(files, 1):
            try:
                save_anew(file, target / name / f"{number:04}")
            except UNDECODABLE as error:
                unreadable.append(f"{file}: does not decode: {error}")
                continue
            count += 1
    if unreadable:
        raise AssignmentError("\n".join(unreadable), "replace these images, or take them out of the folder")
    return count


def save_anew(file: Path, place: Path) -> Path:
    """Write the image to `place`, which is without a suffix, and return the file. Raises what a decoder raises."""
    image = upright_rgb(file)
    if file.suffix.lower() in _JPEG:
        made = place.with_suffix(".jpg")
        image.save(made, "JPEG", quality=_QUALITY, subsampling=0)
    else:
        made = place.with_suffix(".png")
        image.save(made, "PNG")
    return made
