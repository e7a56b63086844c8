"""Nine image corruptions, each in five severities.

Kernels are Pillow's. The severities of brightness, contrast, blur, noise and JPEG are those of ImageNet-C
(Hendrycks and Dietterich, 2019), which are meant for images of about 224 pixels, so an image is shrunk
first. The other severities are ours.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageStat

_SHORTER_SIDE = 256  # pixels
_Random = np.random.Generator


def shrunk(image: Image.Image) -> Image.Image:
    """The image with a shorter side of at most 256 pixels."""
    factor = _SHORTER_SIDE / min(image.size)
    if factor >= 1:
        return image
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)


def corrupted(image: Image.Image, corruption: str, severity: int, seed: int) -> Image.Image:
    """The image under `corruption` of `severity`, 1 to 5; the same for the same seed. Raises `KeyError`."""
    kernel, amounts = CORRUPTIONS[corruption]
    random = np.random.default_rng([seed, severity, *corruption.encode()])
    return kernel(image, amounts[severity - 1], random)


def _brightness(image: Image.Image, amount: float, _: _Random) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    lighter = value.point([min(255, round(v + 255 * amount)) for v in range(256)])
    return Image.merge("HSV", (hue, saturation, lighter)).convert("RGB")


def _contrast(image: Image.Image, amount: float, _: _Random) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance(amount)


def _blur(image: Image.Image, sigma: float, _: _Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(sigma))


def _noise(image: Image.Image, amount: float, random: _Random) -> Image.Image:
    pixels = np.asarray(image, np.float32)
    noisy = pixels + random.standard_normal(pixels.shape, np.float32) * np.float32(255 * amount)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _jpeg(image: Image.Image, quality: float, _: _Random) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=int(quality))
    with Image.open(stream) as opened:
        return opened.convert("RGB")


def _rotation(image: Image.Image, degrees: float, random: _Random) -> Image.Image:
    angle = degrees if random.random() < 0.5 else -degrees
    return image.rotate(angle, Image.Resampling.BILINEAR, fillcolor=_mean(image))


def _distance(image: Image.Image, factor: float, _: _Random) -> Image.Image:
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    farther = Image.new("RGB", image.size, _mean(image))
    small = image.resize(size, Image.Resampling.LANCZOS)
    farther.paste(small, ((image.width - size[0]) // 2, (image.height - size[1]) // 2))
    return farther


def _occlusion(image: Image.Image, area: float, random: _Random) -> Image.Image:
    width, height = (max(1, round(side * area**0.5)) for side in image.size)
    left = int(random.integers(0, image.width - width + 1))
    top = int(random.integers(0, image.height - height + 1))
    covered = image.copy()
    covered.paste((127, 127, 127), (left, top, left + width, top + height))
    return covered


def _colour_cast(image: Image.Image, amount: float, random: _Random) -> Image.Image:
    warm = amount if random.random() < 0.5 else -amount
    red, green, blue = image.split()
    return Image.merge("RGB", (_scaled(red, 1 + warm), green, _scaled(blue, 1 - warm)))


def _scaled(channel: Image.Image, factor: float) -> Image.Image:
    return channel.point([min(255, round(v * factor)) for v in range(256)])


def _mean(image: Image.Image) -> tuple[int, int, int]:
    red, green, blue = (round(value) for value in ImageStat.Stat(image).mean)
    return red, green, blue


_Kernel = Callable[[Image.Image, float, Any], Image.Image]

CORRUPTIONS: dict[str, tuple[_Kernel, tuple[float, ...]]] = {
    "brightness": (_brightness, (0.1, 0.2, 0.3, 0.4, 0.5)),  # added to the value of HSV
    "contrast": (_contrast, (0.4, 0.3, 0.2, 0.1, 0.05)),  # the share that is left
    "blur": (_blur, (1, 2, 3, 4, 6)),  # sigma, pixels
    "noise": (_noise, (0.08, 0.12, 0.18, 0.26, 0.38)),  # standard deviation, of 0 to 1
    "jpeg": (_jpeg, (25, 18, 15, 10, 7)),  # quality
    "rotation": (_rotation, (15, 30, 45, 60, 90)),  # degrees, to either side
    "distance": (_distance, (0.8, 0.65, 0.5, 0.35, 0.25)),  # size of the image within its frame
    "occlusion": (_occlusion, (0.1, 0.2, 0.3, 0.4, 0.5)),  # area that a grey patch covers
    "colour-cast": (_colour_cast, (0.1, 0.2, 0.3, 0.4, 0.5)),  # added to red and taken from blue, or the reverse
}
