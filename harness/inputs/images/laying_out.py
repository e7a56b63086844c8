"""Lays out a course's training images so that every program reads them alike, where they do not lie so already.

Notebooks and the reference list the folder themselves: with `ImageFolder`, with `glob('*.jpg')`. So it holds no litter
and no links, and no image that one program turns upright and another does not.
"""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.inputs.images.decoding import UNDECODABLE, is_plain, upright_rgb
from harness.inputs.images.folders import class_folders

_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
_AS_IT_IS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")  # suffixes that notebooks look for
_QUALITY = 95


@dataclass(frozen=True, slots=True)
class LaidOut:
    """`folder`: the original where nothing had to change. `rewritten`, `left_out`: images, by their original paths."""

    folder: Path
    rewritten: tuple[Path, ...] = ()
    left_out: tuple[Path, ...] = ()  # they do not decode


def laid_out(folder: Path, target: Path) -> LaidOut:
    """The class folders as they should be: `folder` itself, or a copy at `target`, which must not exist.

    In the copy links are files, litter is gone, names are in Unicode's composed form, and images that are not plain
    (16 bits, CMYK, transparent, turned by EXIF, TIFF, AVIF, ...) are 8-bit RGB: JPEGs stay JPEGs, others become PNGs.
    """
    classes = class_folders(folder)
    plain = {file: _is_plain(file) for files in classes.values() for file in files}
    if all(plain.values()) and _is_tidy(folder, classes):
        return LaidOut(folder)
    rewritten, left_out = [], []
    for name, files in classes.items():
        (target / name).mkdir(parents=True)
        for file in files:
            try:
                if not plain[file]:
                    _rewrite(file, _free(target / name, file, keep=False))
                    rewritten.append(file)
                else:
                    _link_or_copy(file.resolve(), _free(target / name, file, keep=True))
            except UNDECODABLE:
                left_out.append(file)
    for made in (target, *(target / name for name in classes)):  # the sandbox's user reads them, whatever the umask
        made.chmod(0o755)
    return LaidOut(target, tuple(rewritten), tuple(left_out))


def _is_plain(file: Path) -> bool:
    try:
        return is_plain(file)
    except UNDECODABLE:
        return False  # left out when it is decoded


def _is_tidy(folder: Path, classes: Mapping[str, tuple[Path, ...]]) -> bool:
    """Whether there is nothing but the class folders and their images, under names that are as they should be."""
    images = {str(file) for files in classes.values() for file in files}
    for parent, folders, names in os.walk(folder):
        paths = [os.path.join(parent, name) for name in (*folders, *names)]  # noqa: PTH118 - there are many
        if any(os.path.islink(path) for path in paths):  # noqa: PTH114
            return False
        if any(not unicodedata.is_normalized("NFC", name) for name in (*folders, *names)):
            return False
        if any(name not in classes for name in folders) or (folders and Path(parent) != folder):
            return False
        if any(os.path.join(parent, n) not in images or not n.lower().endswith(_AS_IT_IS) for n in names):  # noqa: PTH118
            return False
    return True


def _free(folder: Path, file: Path, *, keep: bool) -> Path:
    """A new name in the folder: the file's own where it may keep it, else with the suffix of what is written."""
    suffix = file.suffix.lower()
    written = file.suffix if keep and suffix in _AS_IT_IS else ".jpg" if suffix in _JPEG else ".png"
    stem = unicodedata.normalize("NFC", file.stem)
    path = folder / f"{stem}{written}"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{written}"
    return path


def _rewrite(file: Path, target: Path) -> None:
    image = upright_rgb(file)
    if target.suffix == ".jpg":
        image.save(target, "JPEG", quality=_QUALITY, subsampling=0)
    else:
        image.save(target, "PNG", compress_level=1)
    target.chmod(0o644)


def _link_or_copy(file: Path, target: Path) -> None:
    if file.stat().st_mode & 0o044 == 0o044:
        with suppress(OSError):
            os.link(file, target)
            return
    shutil.copyfile(file, target)
    target.chmod(0o644)
