"""From an image file to a model's input: the one implementation that every phase uses."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ..phases.error_text import one_sentence

Colour = Literal["RGB", "BGR"]
Resize = Literal["stretch", "shorter-side-crop"]
Layout = Literal["NCHW", "NHWC"]


class UnreadableImage(Exception):
    """The file does not decode as an image."""


@dataclass(frozen=True, slots=True)
class Rule:
    """x = (pixel * scale - mean) / std, channel by channel, after a resize.

    `pixel` is 0..255; `mean` and `std` are in the order of `colour`. `shorter-side-crop` scales the
    shorter side to size / crop_fraction and cuts the centre; `stretch` ignores the aspect ratio.
    """

    width: int
    height: int
    colour: Colour
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: Resize
    crop_fraction: float = 1.0

    @classmethod
    def from_request(cls, values: dict[str, Any]) -> Rule:
        """The rule in a request, which the harness has checked."""
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})


IMAGENET_MEAN = (0.485, 0.456, 0.406)  # torchvision's ImageNet weights, RGB, of pixels 0..1
IMAGENET_STD = (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)  # Keras' vgg16.preprocess_input, BGR, of pixels 0..255
ZEROS = (0.0, 0.0, 0.0)
ONES = (1.0, 1.0, 1.0)


def pixels(encoded: Path | bytes, rule: Rule) -> NDArray[np.uint8]:
    """The image upright, RGB, resized and cropped: uint8, shape (height, width, 3).

    Raises `UnreadableImage` when it does not decode.
    """
    return fitted(upright(encoded), rule)


def upright(encoded: Path | bytes) -> Image.Image:
    """The image, upright and RGB. Raises `UnreadableImage` when it does not decode."""
    try:
        with Image.open(io.BytesIO(encoded) if isinstance(encoded, bytes) else encoded) as opened:
            return rgb(ImageOps.exif_transpose(opened))
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError) as error:
        name = "an image" if isinstance(encoded, bytes) else encoded.name
        raise UnreadableImage(f"{name} does not decode: {one_sentence(str(error))}") from error


def fitted(image: Image.Image, rule: Rule) -> NDArray[np.uint8]:
    """An upright image, resized and cropped: uint8, shape (height, width, 3)."""
    return np.asarray(_resized(image, rule), dtype=np.uint8)


def seen_part(size: tuple[int, int], rule: Rule) -> tuple[float, float, float, float]:
    """The part of an image of this size that the rule keeps: left, top, right, bottom, as shares of its sides."""
    if rule.resize == "stretch":
        return 0.0, 0.0, 1.0, 1.0
    width, height = _covering(size, rule)
    across, down = rule.width / width, rule.height / height
    return (1 - across) / 2, (1 - down) / 2, (1 + across) / 2, (1 + down) / 2


def model_input(pixels: NDArray[np.uint8], rule: Rule, layout: Layout, dtype: str) -> NDArray[Any]:
    """The model's input for one image or a batch, uint8, shape (…, height, width, 3).

    A uint8 model gets the pixels in the rule's colour order, unscaled, because it scales them itself.
    """
    ordered = pixels[..., ::-1] if rule.colour == "BGR" else pixels
    if dtype == "uint8":
        values: NDArray[Any] = ordered
    else:
        mean, std = np.asarray(rule.mean, np.float32), np.asarray(rule.std, np.float32)
        values = (ordered.astype(np.float32) * np.float32(rule.scale) - mean) / std
    return np.ascontiguousarray(np.moveaxis(values, -1, -3) if layout == "NCHW" else values)


def batch(encoded: Sequence[Path | bytes], rule: Rule, layout: Layout, dtype: str) -> NDArray[Any]:
    """The model's input for several images, in order. Raises `UnreadableImage`."""
    return model_input(np.stack([pixels(one, rule) for one in encoded]), rule, layout, dtype)


def rgb(image: Image.Image) -> Image.Image:
    """The image as RGB: 16-bit values are scaled, transparent parts become white."""
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits: convert() would clip at 255
        wide = np.asarray(image, dtype=np.float64)
        top = 65535.0 if wide.max(initial=0) > 255 else 255.0
        return Image.fromarray((wide.clip(0, top) / top * 255).round().astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        with_alpha = image.convert("RGBA")
        white = Image.new("RGBA", with_alpha.size, "white")
        return Image.alpha_composite(white, with_alpha).convert("RGB")
    return image.convert("RGB")


def _resized(image: Image.Image, rule: Rule) -> Image.Image:
    if rule.resize == "stretch":
        return image.resize((rule.width, rule.height), Image.Resampling.BILINEAR)
    width, height = _covering(image.size, rule)
    scaled = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - rule.width) / 2), round((height - rule.height) / 2)
    return scaled.crop((left, top, left + rule.width, top + rule.height))


def _covering(size: tuple[int, int], rule: Rule) -> tuple[int, int]:
    """The size that covers the window divided by the crop fraction, rounded as torchvision does."""
    width, height = size
    wide, high = round(rule.width / rule.crop_fraction), round(rule.height / rule.crop_fraction)
    if wide / width >= high / height:
        return wide, max(rule.height, int(wide * height / width))
    return max(rule.width, int(high * width / height)), high
