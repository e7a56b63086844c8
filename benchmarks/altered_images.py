"""Alters photographs as someone does who hides that they are copies; every alteration is drawn by a seed."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

Alteration = Callable[[Image.Image, Generator], Image.Image]
Colour = tuple[int, int, int]

_BICUBIC = Image.Resampling.BICUBIC


def encoded(image: Image.Image, quality: int) -> Image.Image:
    """The image written as JPEG and read again."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")


def re_encoded(image: Image.Image, random: Generator) -> Image.Image:
    return encoded(image, int(random.integers(30, 80)))


def mirrored(image: Image.Image, random: Generator) -> Image.Image:
    return ImageOps.mirror(image)


def recoloured(image: Image.Image, random: Generator) -> Image.Image:
    """Saturation, brightness and contrast changed."""
    image = ImageEnhance.Color(image).enhance(random.uniform(0, 1.7))
    image = ImageEnhance.Brightness(image).enhance(random.uniform(0.75, 1.25))
    return ImageEnhance.Contrast(image).enhance(random.uniform(0.75, 1.25))


def cropped(least: float, most: float) -> Alteration:
    """That share of the width, and of the height, is cut away, anywhere."""

    def change(image: Image.Image, random: Generator) -> Image.Image:
        width, height = (max(1, round(side * (1 - random.uniform(least, most)))) for side in image.size)
        left = int(random.integers(0, image.width - width + 1))
        top = int(random.integers(0, image.height - height + 1))
        return image.crop((left, top, left + width, top + height))

    return change


def turned(least: float, most: float, corners: str) -> Alteration:
    """Turned by that many degrees, either way. `corners`: black, white, reflected, larger (black) or inside."""

    def change(image: Image.Image, random: Generator) -> Image.Image:
        angle = random.uniform(least, most) * (1 if random.random() < 0.5 else -1)
        width, height = image.size
        if corners == "reflected":
            pad = ((height // 2, height // 2), (width // 2, width // 2), (0, 0))
            large = Image.fromarray(np.pad(np.asarray(image), pad, "reflect")).rotate(angle, _BICUBIC)
            return large.crop((width // 2, height // 2, width // 2 + width, height // 2 + height))
        if corners != "inside":
            fill = (255, 255, 255) if corners == "white" else (0, 0, 0)
            return image.rotate(angle, _BICUBIC, expand=corners == "larger", fillcolor=fill)
        cosine, sine = np.cos(np.deg2rad(abs(angle))), np.sin(np.deg2rad(abs(angle)))
        factor = min(width / (width * cosine + height * sine), height / (width * sine + height * cosine))
        left, top = round(width * (1 - factor) / 2), round(height * (1 - factor) / 2)
        return image.rotate(angle, _BICUBIC).crop((left, top, width - left, height - top))

    return change


def bordered(image: Image.Image, random: Generator) -> Image.Image:
    """A border of one colour all round, 5 to 20 % of each side."""
    share = random.uniform(0.05, 0.2)
    colour: Colour = tuple(random.integers(0, 256, 3).tolist())
    return ImageOps.expand(image, (round(image.width * share), round(image.height * share)), colour)


def rescaled(least: float, most: float) -> Alteration:
    def change(image: Image.Image, random: Generator) -> Image.Image:
        factor = random.uniform(least, most)
        return image.resize((round(image.width * factor), round(image.height * factor)), _BICUBIC)

    return change


def stretched(image: Image.Image, random: Generator) -> Image.Image:
    """Another aspect, by up to 12 %."""
    factor = random.uniform(0.88, 0.97)
    wide = random.random() < 0.5
    size = (image.width * (factor if wide else 1), image.height * (1 if wide else factor))
    return image.resize((round(size[0]), round(size[1])), _BICUBIC)


def phone_screenshot(image: Image.Image, random: Generator) -> Image.Image:
    """The photograph on a phone's upright screen, between bars, as JPEG."""
    width, height = [(720, 1280), (1080, 1920), (1080, 2340)][int(random.integers(3))]
    ground, ink = ((0, 0, 0), (255, 255, 255)) if random.random() < 0.5 else ((250, 250, 250), (20, 20, 20))
    screen = Image.new("RGB", (width, height), ground)
    _pasted(screen, image, (0, round(height * 0.12), width, round(height * 0.88)))
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, width, height // 28), fill=(30, 30, 30))
    draw.text((20, height // 100), "12:41    LTE   87%", fill=(255, 255, 255), font_size=height // 60)
    draw.text((20, height // 16), "IMG_2041.JPG   yesterday", fill=ink, font_size=height // 45)
    draw.rectangle((0, height - height // 14, width, height), fill=(40, 40, 40))
    radius = height // 60
    for number in range(4):
        x, y = width * (2 * number + 1) // 8, height - height // 28
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=(255, 255, 255), width=4)
    return encoded(screen, int(random.integers(70, 92)))


def desktop_screenshot(image: Image.Image, random: Generator) -> Image.Image:
    """The photograph in a viewer's window with a list beside it and a bar of icons below, as JPEG."""
    screen = Image.new("RGB", (1366, 768), (225, 228, 232))
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, 1366, 40), fill=(60, 90, 160))
    draw.text((14, 8), "Photos - image (3 of 51)", fill=(255, 255, 255), font_size=20)
    draw.rectangle((0, 728, 1366, 768), fill=(20, 20, 20))
    for number in range(9):
        draw.rectangle((20 + number * 48, 734, 50 + number * 48, 762), fill=tuple(random.integers(0, 256, 3).tolist()))
        draw.text((14, 70 + number * 36), f"Album {number + 1}", fill=(40, 40, 40), font_size=18)
    _pasted(screen, image, (160, 50, 1346, 718))
    return encoded(screen, int(random.integers(70, 92)))


def window_screenshot(image: Image.Image, random: Generator) -> Image.Image:
    """The photograph in its own size in a window with a title and buttons, as JPEG."""
    edge = max(image.size) // 40 + 8
    window = Image.new("RGB", (image.width + 2 * edge, image.height + 6 * edge), (240, 240, 240))
    window.paste(image, (edge, 3 * edge))
    draw = ImageDraw.Draw(window)
    draw.text((edge, edge), "viewer", fill=(0, 0, 0), font_size=edge)
    draw.text((edge, image.height + 4 * edge), "< 3 / 40 >  share  edit", fill=(0, 0, 0), font_size=edge)
    return encoded(window, int(random.integers(70, 92)))


def _pasted(screen: Image.Image, image: Image.Image, place: tuple[int, int, int, int]) -> None:
    """Paste the image as large as fits into the middle of `place`: left, top, right, bottom."""
    left, top, right, bottom = place
    factor = min((right - left) / image.width, (bottom - top) / image.height)
    small = image.resize((round(image.width * factor), round(image.height * factor)), _BICUBIC)
    screen.paste(small, ((left + right - small.width) // 2, (top + bottom - small.height) // 2))


def both(first: Alteration, second: Alteration) -> Alteration:
    return lambda image, random: second(first(image, random), random)


_SIMPLE: tuple[Alteration, ...] = (
    mirrored, recoloured, cropped(0.05, 0.2), turned(2, 15, "black"), turned(2, 15, "inside"), bordered,
    rescaled(0.5, 0.5), stretched,
)  # fmt: skip
_LAST: tuple[Alteration, ...] = (phone_screenshot, desktop_screenshot, window_screenshot, bordered, re_encoded)


def any_two(image: Image.Image, random: Generator) -> Image.Image:
    """Two different alterations by lot; a screenshot is always the last."""
    first = int(random.integers(len(_SIMPLE)))
    second = [one for one in (*_SIMPLE, *_LAST) if one is not _SIMPLE[first]]
    return both(_SIMPLE[first], second[int(random.integers(len(second)))])(image, random)


ALTERATIONS: dict[str, Alteration] = {
    "re-encoded, quality 30 to 80": re_encoded,
    "mirrored": mirrored,
    "recoloured": recoloured,
    "cropped by 5 to 10 %": cropped(0.05, 0.1),
    "cropped by 10 to 20 %": cropped(0.1, 0.2),
    "cropped by 20 % at each side": cropped(0.4, 0.4),
    "turned by 2 to 8°, black corners": turned(2, 8, "black"),
    "turned by 8 to 15°, white corners": turned(8, 15, "white"),
    "turned by 8 to 15°, reflected corners": turned(8, 15, "reflected"),
    "turned by 8 to 15°, cropped to the inside": turned(8, 15, "inside"),
    "turned by 8 to 15°, larger image": turned(8, 15, "larger"),
    "border of 5 to 20 %": bordered,
    "half size": rescaled(0.5, 0.5),
    "0.35 to 2 times the size": rescaled(0.35, 2),
    "another aspect, by 3 to 12 %": stretched,
    "screenshot on a phone": phone_screenshot,
    "screenshot of a desktop": desktop_screenshot,
    "screenshot of a window": window_screenshot,
    "two of these by lot": any_two,
    "two of these by lot, again": any_two,
}


def altered(name: str, image: Image.Image, seed: int) -> Image.Image:
    """The image after the alteration of that name, as JPEG of quality 90. `seed`: of the image."""
    number = list(ALTERATIONS).index(name)
    return encoded(ALTERATIONS[name](image, np.random.default_rng([number, seed])), 90)
