"""Re-renders an image: decoded, reduced if large, slightly enlarged and shifted, and encoded with loss.

Enlargement and shift are secret (`draw`), so data hidden in single pixels, in JPEG coefficients or after the end of
the file is lost; so are metadata, further frames, alpha channels and colour profiles. Images come out upright, as the
withheld ones do, whatever their EXIF says. Data that an image plainly shows survives; `data_share` detects it.
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

_MOST_ZOOM = 0.02  # of the sides: a box or an object moves by at most a hundredth
_QUALITY = 92  # JPEG: photographs of 1024 pixels or more look the same; below a camera's 95, so that it loses again
_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
}

# Measured `data_share`: at most 0.109 on 311 photographs of cards, 75 of fruit and 120 renderings (a card on a
# carpet); at least 0.23 on dots and blocks of 1 to 24 pixels, black and white or grey.
_TILE = 8  # pixels, both sides, of a patch that is judged
_CONTRAST = 36  # grey levels, standard deviation: a carpet has less; data that survives the loss mostly has more
_UNPREDICTABLE = 0.6  # of a patch's variance that its neighbours do not explain; white noise has 1.25
_SHARE = 0.2  # of all patches
_SMALLEST = 28  # pixels, the shorter side of the smallest reduction that is judged


Channel = NDArray[np.float32]  # (height, width), 0 to 255


@dataclass(frozen=True, slots=True)
class Frame:
    """How an image of size `of` is re-rendered: its part from `left`, `top` to `right`, `bottom` is resampled."""

    of: tuple[int, int]
    width: int
    height: int
    left: float
    top: float
    right: float
    bottom: float

    def x(self, value: float) -> float:
        """The new image's column for a column of the old image; the edge if it is outside."""
        return min(max((value - self.left) * self.width / (self.right - self.left), 0.0), float(self.width))

    def y(self, value: float) -> float:
        """The same for a row."""
        return min(max((value - self.top) * self.height / (self.bottom - self.top), 0.0), float(self.height))


def draw(size: tuple[int, int], longest_side: int, secret: str) -> Frame:
    """The frame of an image of `size` (width, height), determined by `secret`."""
    width, height = size
    scale = min(1.0, longest_side / max(size))
    chance = random.Random(secret)
    zoom = 1 + chance.uniform(0.25, 1) * _MOST_ZOOM
    wide, high = width / zoom, height / zoom
    left, top = chance.uniform(0, width - wide), chance.uniform(0, height - high)
    return Frame(size, max(1, round(width * scale)), max(1, round(height * scale)), left, top, left + wide, top + high)


@dataclass(frozen=True, slots=True)
class Made:
    """A new image file, and whether the image looks like data."""

    content: bytes
    carries_data: bool


def made(file: Path, suffix: str, frame: Frame) -> Made | None:
    """The new image in the format of `suffix` (".jpg"), upright; None when it does not decode or encode."""
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
    with Image.open(io.BytesIO(lossy)) as again:  # a lossless format must lose data too
        again.load()
        return Made(_encoded(again, format_), carries)


def _encoded(image: Image.Image, format_: str) -> bytes:
    plain = Image.new(image.mode, image.size)  # without the info that a decoder attaches
    plain.paste(image)
    stream = io.BytesIO()
    plain.save(stream, format_, **({"quality": _QUALITY} if format_ in ("JPEG", "WEBP") else {}))
    return stream.getvalue()


def data_share(image: Image.Image) -> float:
    """The share of patches that their neighbours do not explain, 0 to 1; the largest over all views.

    The views are brightness, both colour channels, and all their reductions.

    A photograph is smooth nearly everywhere at every scale; dots, blocks and bars that encode bits are not, at their
    own scale.
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
