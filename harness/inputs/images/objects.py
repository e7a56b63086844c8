"""The objects on an image, as whoever annotated it drew them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """An object. The corners are shares of the upright image's sides, 0 to 1; the label is an index of the classes."""

    label: int
    left: float
    top: float
    right: float
    bottom: float
    ignored: bool = False  # counts neither as found nor as missed: VOC's `difficult`, COCO's crowd


@dataclass(frozen=True, slots=True)
class ImageObjects:
    """The upright image's width and height in pixels, and what is on it."""

    width: int
    height: int
    boxes: tuple[LabelledBox, ...]
