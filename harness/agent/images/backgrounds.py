"""Puts the objects of an image before another background.

The regions of their boxes are pasted with a soft edge, so a little of their own surroundings comes with them. That edge
alone can cost a detector something: so `before` is asked for the image's own background, too, which is treated alike,
and what differs between the two is only whose background it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFilter

_BLUR = 0.02  # of the shorter side: in both backgrounds, or only one of them would differ from the sharp objects
_SOFT = 0.03  # of the shorter side: how far the edge of a region fades
_LEAST = 0.2  # of the image's area: a smaller part without objects is no background

Corners = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the image's sides


def before(image: Image.Image, boxes: Sequence[Corners], background: Image.Image) -> Image.Image:
    """The regions of `boxes` where they are, before `background`, which is blurred and fills the frame."""
    width, height = image.size
    shorter = min(width, height)
    behind = _filling(background, image.size).filter(ImageFilter.GaussianBlur(_BLUR * shorter))
    soft = max(1.0, _SOFT * shorter)
    shown = Image.new("L", image.size, 0)
    drawing = ImageDraw.Draw(shown)
    for left, top, right, bottom in boxes:
        region = (left * width - soft, top * height - soft, right * width + soft - 1, bottom * height + soft - 1)
        drawing.rectangle(region, fill=255)
    return Image.composite(image, behind, shown.filter(ImageFilter.GaussianBlur(soft / 2)))


def free_part(image: Image.Image, boxes: Sequence[Corners]) -> Image.Image | None:
    """The largest strip beside, above or below all boxes, as wide or high as the image; None where all are small."""
    if not boxes:
        return image
    left, top = (min(box[side] for box in boxes) for side in (0, 1))
    right, bottom = (max(box[side] for box in boxes) for side in (2, 3))
    strips = ((0.0, 0.0, left, 1.0), (right, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, top), (0.0, bottom, 1.0, 1.0))
    largest = max(strips, key=lambda one: (one[2] - one[0]) * (one[3] - one[1]))
    if (largest[2] - largest[0]) * (largest[3] - largest[1]) < _LEAST:
        return None
    width, height = image.size
    return image.crop(
        (round(largest[0] * width), round(largest[1] * height), round(largest[2] * width), round(largest[3] * height))
    )


def _filling(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle of the image, in its own ratio, as large as `size`."""
    factor = max(size[0] / image.width, size[1] / image.height)
    scaled = image.resize(
        (max(size[0], round(image.width * factor)), max(size[1], round(image.height * factor))),
        Image.Resampling.LANCZOS,
    )
    left, top = (scaled.width - size[0]) // 2, (scaled.height - size[1]) // 2
    return scaled.crop((left, top, left + size[0], top + size[1]))
