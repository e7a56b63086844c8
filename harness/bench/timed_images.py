"""The images that timed queries cycle through: given ones, or noise; in end-to-end mode as JPEG files."""

from __future__ import annotations

import secrets
from pathlib import Path

import numpy as np
from PIL import Image

from harness.inputs.images import StagedImages
from harness.stages.timed_answers import MOST_INPUTS
from harness.stages.timing import Mode

_JPEG_QUALITY = 90
_NOISE_SIDE = 256  # pixels


def images_to_time(given: StagedImages | None, mode: Mode, folder: Path) -> StagedImages:
    """The given images, or as many of noise; as JPEG files in `folder` where decoding is timed."""
    if given is None:
        return _noise(folder)
    return _as_jpegs(given, folder) if mode == "end-to-end" else given


def _noise(folder: Path) -> StagedImages:
    """Noise images, the same in every run."""
    drawn = np.random.default_rng(0).integers(0, 256, (MOST_INPUTS, _NOISE_SIDE, _NOISE_SIDE, 3), dtype=np.uint8)
    names = tuple(f"{secrets.token_hex(8)}.png" for _ in drawn)
    _make(folder)
    for name, pixels in zip(names, drawn, strict=True):
        Image.fromarray(pixels).save(folder / name, compress_level=1)
        (folder / name).chmod(0o644)
    return StagedImages(folder, names, "0" * 64)


def _as_jpegs(given: StagedImages, folder: Path) -> StagedImages:
    """Some of the given images as JPEG files, from which they are also predicted, to compare the timed answers."""
    chosen = sorted(given.names)[:MOST_INPUTS]  # the names are random
    names = tuple(f"{Path(name).stem}.jpg" for name in chosen)
    _make(folder)
    places = given.files([given.names.index(name) for name in chosen])
    for png, jpeg in zip(places, names, strict=True):
        with Image.open(png) as opened:
            opened.convert("RGB").save(folder / jpeg, quality=_JPEG_QUALITY)
        (folder / jpeg).chmod(0o644)
    return StagedImages(folder, names, given.sha256)


def _make(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o755)  # whatever the umask: the sandbox's own user reads it
