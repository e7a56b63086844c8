"""An image decoded and made anew: smaller where it is large, a little enlarged and shifted, and encoded with loss.

Enlargement and shift are secret (`draw`), so what was hidden in single pixels, in coefficients of a JPEG, or after
its end does not arrive; nor do metadata, further frames, alpha channels and colour profiles. Images come out upright,
as the withheld ones do, whatever their EXIF says. What an image plainly shows arrives: of that `data_share` is asked.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ..images.preprocessing import rgb

_MOST_PIXELS = 100 * 10**6
_MOST_ZOOM = 0.02  # of the sides: a box or an object keeps its place within a hundredth
_QUALITY = 92  # of JPEG: photographs from 1024 pixels on look as before; a second loss, so below a camera's 95
_ORIENTATION = 0x0112  # EXIF
_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}

# Measured on 311 photographs of cards, 75 of fruit and 120 renderings: at most 0.109 (a card on a carpet); on dots and
# blocks of 1 to 24 pixels, black and white or grey: 0.23 and more.
_TILE = 8  # pixels, both sides, of a patch that is judged
_CONTRAST = 36  # grey levels, standard deviation: a carpet has less, what is to survive the loss has mostly more
_UNPREDICTABLE = 0.6  # of a patch's variance that its neighbours do not explain; white noise has 1.25
_SHARE = 0.2  # of all patches
_SMALLEST = 28  # pixels, the shorter side of the smallest reduction that is judged


Channel = NDArray[np.float32]  # (height, width), 0 to 255


@dataclass(frozen=True, slots=True)
class Frame:
    """How an image of size `of` is made anew: what lies from `left`, `top` to `right`, `bottom`, on other pixels."""

    of: tuple[int, int]
    width: int
    height: int
    left: float
    top: float
    right: float
    bottom: float

    def x(self, value: float) -> float:
        """Where a column of the image lies in the new one; at its edge if outside."""
        return min(max((value - self.left) * self.width / (self.right - self.left), 0.0), float(self.width))

    def y(self, value: float) -> float:
        """The same of a row."""
        return min(max((value - self.top) * self.height / (self.bottom - self.top), 0.0), float(self.height))


def draw(size: tuple[int, int], longest_side: int, secret: str) -> Frame:
    """The frame of an image of `size` (width, height); one for each `secret`."""
    width, height = size
    scale = min(1.0, longest_side / max(size))
    chance = random.Random(secret)
    zoom = 1 + chance.uniform(0.25, 1) * _MOST_ZOOM
    wide, high = width / zoom, height / zoom
    left, top = chance.uniform(0, width - wide), chance.uniform(0, height - high)
    return Frame(size, max(1, round(width * scale)), max(1, round(height * scale)), left, top, left + wide, top + high)


def size_of(file: Path) -> tuple[int, int] | None:
    """Width and height, upright; None for what is no image that can be read."""
    try:
        with Image.open(file) as opened:
            size, turned = opened.size, opened.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
    except Exception:  # decoders raise many kinds; each means that the image cannot be used
        return None
    if not 0 < size[0] * size[1] <= _MOST_PIXELS:
        return None
    return size[::-1] if turned else size


@dataclass(frozen=True, slots=True)
class Made:
    """A new image file, and whether the image looks like data."""

    content: bytes
    carries_data: bool


def made(file: Path, suffix: str, frame: Frame) -> Made | None:
    """The image, upright, in the format of `suffix` (".jpg"); None when it does not decode or has no such format."""
    format_ = _FORMATS.get(suffix.lower())
    if format_ is None:
        return None
    try:
        with Image.open(file) as opened:
            grey = opened.mode in ("1", "L", "I", "I;16", "F")
            longest = 2 * max(frame.width, frame.height)
            opened.draft("RGB", (longest, longest))  # a JPEG is decoded at a fraction of its size
            turned = ImageOps.exif_transpose(opened)
            decoded = rgb(turned) if turned.mode.startswith("I") else turned.convert("RGB")
    except Exception:  # as above
        return None
    part = decoded.width / frame.of[0], decoded.height / frame.of[1]
    box = (frame.left * part[0], frame.top * part[1], frame.right * part[0], frame.bottom * part[1])
    new = decoded.resize((frame.width, frame.height), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    lossy = _encoded(new.convert("L") if grey else new, "JPEG")
    carries = data_share(new) >= _SHARE
    if format_ == "JPEG":
        return Made(lossy, carries)
    with Image.open(io.BytesIO(lossy)) as again:  # a lossless format would keep what a lossy one loses
        again.load()
        return Made(_encoded(again, format_), carries)


def _encoded(image: Image.Image, format_: str) -> bytes:
    plain = Image.new(image.mode, image.size)  # without the info that a decoder attaches
    plain.paste(image)
    stream = io.BytesIO()
    plain.save(stream, format_, **({"quality": _QUALITY} if format_ in ("JPEG", "WEBP") else {}))
    return stream.getvalue()


def data_share(image: Image.Image) -> float:
    """The share of patches that their neighbours do not explain, 0 to 1, where it is largest.

    Brightness, both colour channels and all reductions are looked at.

    A photograph is smooth nearly everywhere at every size; dots, blocks and bars that stand for bits are
    not, at the size of one of them.
    """
    channels = np.asarray(image.convert("YCbCr"), dtype=np.float32)
    return max(_over_reductions(channels[..., channel]) for channel in range(3))


def _over_reductions(values: Channel) -> float:
    largest = _share(values)
    while min(values.shape) >= 2 * _SMALLEST:
        values = _halved(values)
        largest = max(largest, _share(values))
    return largest


def _halved(values: Channel) -> Channel:
    high, wide = values.shape[0] // 2 * 2, values.shape[1] // 2 * 2
    even = values[:high, :wide]
    halved: Channel = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) * np.float32(0.25)
    return halved


def _share(values: Channel) -> float:
    inner = values[1:-1, 1:-1]
    around = (values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:]) * np.float32(0.25)
    high, wide = inner.shape[0] // _TILE, inner.shape[1] // _TILE
    if not high or not wide:
        return 0.0

    def tiles(whole: Channel) -> Channel:
        cut = whole[: high * _TILE, : wide * _TILE].reshape(high, _TILE, wide, _TILE)
        return cut.swapaxes(1, 2).reshape(high * wide, -1)

    variance = tiles(inner).var(axis=1)
    unexplained = (tiles((inner - around).astype(np.float32)) ** 2).mean(axis=1)
    strong = variance > _CONTRAST**2
    return float((strong & (unexplained > _UNPREDICTABLE * np.maximum(variance, 1e-6))).mean())
